import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSession } from "../api/live";
import { listJobs, listRuns } from "../api/runs";
import type { Run } from "../api/types";
import { serverQuery, type Filters } from "./filters";

/** At most so many runs are read, and so many jobs to find those of a cluster. */
export const LIMIT = 500;
const JOBS_LIMIT = 2000;
const INTERVAL_MILLISECONDS = 2000;

interface Runs {
  /** The newest runs that pass what the service filters; undefined until they are read. */
  readonly runs: readonly Run[] | undefined;
  /** Whether these are all. */
  readonly isComplete: boolean;
  /** When they were read, in milliseconds since the epoch. */
  readonly readAt: number;
  readonly error: unknown;
  readonly retry: () => void;
}

/** The runs, read again every two seconds while the tab is seen. */
export function useRuns(filters: Filters): Runs {
  const { token } = useSession();
  const query = serverQuery(filters);
  const { cluster } = filters;
  const runs = useQuery({
    queryKey: ["runs", token, query],
    queryFn: ({ signal }) => listRuns(query, LIMIT, signal),
    refetchInterval: INTERVAL_MILLISECONDS,
    placeholderData: keepPreviousData,
  });
  const onCluster = useQuery({
    queryKey: ["runs on a cluster", token, cluster],
    queryFn: async ({ signal }) => {
      const jobs = await listJobs({ clusterName: cluster }, JOBS_LIMIT, signal);
      return [...new Set(jobs.map(({ runId }) => runId))];
    },
    enabled: cluster !== "",
    refetchInterval: 5 * INTERVAL_MILLISECONDS,
  });
  const passing = useMemo(() => {
    if (cluster === "") return runs.data;
    const ids = onCluster.data && new Set(onCluster.data);
    return ids && runs.data?.filter(({ runId }) => ids.has(runId));
  }, [cluster, runs.data, onCluster.data]);
  return {
    runs: passing,
    isComplete: (runs.data?.length ?? 0) < LIMIT,
    readAt: runs.dataUpdatedAt,
    error: runs.error ?? (cluster === "" ? null : onCluster.error),
    retry: () => {
      void runs.refetch();
      if (cluster !== "") void onCluster.refetch();
    },
  };
}
