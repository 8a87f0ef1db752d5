import { useQuery } from "@tanstack/react-query";
import { useSession } from "../api/live";
import { getRun, isFinal } from "../api/runs";

const INTERVAL_MILLISECONDS = 2000;

/** A run, read again every two seconds until it is over. */
export function useRun(runId: string) {
  const { token } = useSession();
  return useQuery({
    queryKey: ["run", token, runId],
    queryFn: ({ signal }) => getRun(runId, signal),
    refetchInterval: ({ state }) =>
      state.data && isFinal(state.data.status) ? false : INTERVAL_MILLISECONDS,
  });
}
