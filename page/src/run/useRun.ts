import { useQuery } from "@tanstack/react-query";
import { useSession } from "../api/live";
import { getRun, isFinal } from "../api/runs";
import type { Run } from "../api/types";

const INTERVAL_MILLISECONDS = 2000;

/** A run names its targets, each in 100 bytes: so many are read every two seconds. */
const TARGETS = 200;

/**
 * A run, read again until it is over: every two seconds, a large one more rarely while its jobs,
 * which are watched, are not over.
 */
export function useRun(runId: string, areJobsOver: boolean) {
  const { token } = useSession();
  return useQuery({
    queryKey: ["run", token, runId],
    queryFn: ({ signal }) => getRun(runId, signal),
    refetchInterval: ({ state }) => interval(state.data, areJobsOver),
  });
}

function interval(run: Run | undefined, areJobsOver: boolean): number | false {
  if (run && isFinal(run.status)) return false;
  const size = areJobsOver ? 1 : Math.max(1, (run?.targets.length ?? 0) / TARGETS);
  return size * INTERVAL_MILLISECONDS;
}
