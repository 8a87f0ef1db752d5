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

/**
 * Where there are more than the newest so many, these alone are read every two seconds, which are
 * some 70 kB, and all of them every 20 seconds.
 */
const NEWEST = 100;
const MANY_INTERVAL_MILLISECONDS = 20_000;

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

/** The runs, read again every two seconds while the tab is seen; the older of many more rarely. */
export function useRuns(filters: Filters): Runs {
  const { token } = useSession();
  const query = serverQuery(filters);
  const { cluster } = filters;
  const runs = useQuery({
    queryKey: ["runs", token, query],
    queryFn: ({ signal }) => listRuns(query, LIMIT, signal),
    refetchInterval: ({ state }) =>
      isMany(state.data) ? MANY_INTERVAL_MILLISECONDS : INTERVAL_MILLISECONDS,
    placeholderData: keepPreviousData,
  });
  const newest = useQuery({
    queryKey: ["newest runs", token, query],
    queryFn: ({ signal }) => listRuns(query, NEWEST, signal),
    enabled: isMany(runs.data) && !runs.isPlaceholderData,
    refetchInterval: INTERVAL_MILLISECONDS,
  });
  const known = useMemo(
    () => (newest.data && isMany(runs.data) ? merged(newest.data, runs.data ?? []) : runs.data),
    [newest.data, runs.data],
  );
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
    if (cluster === "") return known;
    const ids = onCluster.data && new Set(onCluster.data);
    return ids && known?.filter(({ runId }) => ids.has(runId));
  }, [cluster, known, onCluster.data]);
  return {
    runs: passing,
    isComplete: (runs.data?.length ?? 0) < LIMIT,
    readAt: Math.max(runs.dataUpdatedAt, newest.dataUpdatedAt),
    error: runs.error ?? newest.error ?? (cluster === "" ? null : onCluster.error),
    retry: () => {
      void runs.refetch();
      if (cluster !== "") void onCluster.refetch();
    },
  };
}

function isMany(runs: readonly Run[] | undefined): boolean {
  return (runs?.length ?? 0) > NEWEST;
}

/** The newest runs, and after them those of an older list that are not among them. */
export function merged(newest: readonly Run[], all: readonly Run[]): readonly Run[] {
  const last = newest.at(-1);
  if (last === undefined) return newest;
  const ids = new Set(newest.map(({ runId }) => runId));
  // What is newer than the last of the newest, and not among them, is gone.
  const older = all.filter((run) => !ids.has(run.runId) && madeAt(run) <= madeAt(last));
  return [...newest, ...older];
}

const madeAt = ({ createdAt }: Run) => createdAt ?? "";
