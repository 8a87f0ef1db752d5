/** The last jobs of each target, from one list of the newest jobs. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSession } from "../api/live";
import { listJobs } from "../api/runs";
import type { Job } from "../api/types";

/** So many of the newest jobs are read, however many targets there are. */
const LIMIT = 2000;
const SHOWN = 6;
const INTERVAL_MILLISECONDS = 5000;

export type LastJobs = ReadonlyMap<string, readonly Job[]>;

/** The newest jobs by the targets' uuids, newest first; read again every five seconds. */
export function useLastJobs(): LastJobs {
  const { token } = useSession();
  const { data } = useQuery({
    queryKey: ["newest jobs", token],
    queryFn: ({ signal }) => listJobs({}, LIMIT, signal),
    refetchInterval: INTERVAL_MILLISECONDS,
  });
  return useMemo(() => byTarget(data ?? []), [data]);
}

/** Group jobs, newest first, by target: at most `shown` of each. */
export function byTarget(jobs: Iterable<Job>, shown = SHOWN): LastJobs {
  const found = new Map<string, Job[]>();
  for (const job of jobs) {
    const of = found.get(job.targetUUID);
    if (of === undefined) found.set(job.targetUUID, [job]);
    else if (of.length < shown) of.push(job);
  }
  return found;
}
