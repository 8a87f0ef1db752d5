/** Hooks for what a watch keeps fresh. */
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { Collection, type Snapshot } from "./collection";
import type { Query } from "./client";
import { session } from "./session";
import type { Job, Target, WatchScenarioRunsResponse, WatchTargetsResponse } from "./types";
import { watch } from "./watch";

export function useSession() {
  return useSyncExternalStore(session.subscribe, session.get);
}

/** The jobs that pass the filters of WatchScenarioRuns, live, by their ids. */
export function useJobs(query: Query): Snapshot<Job> {
  return useWatch(
    "/api/v1/scenarios/run:watch",
    query,
    (message: WatchScenarioRunsResponse) => message.job,
    (job) => job.jobId,
  );
}

/** What the lists of targets show of a job. */
export interface JobOutline {
  readonly jobId: string;
  readonly runId: string;
  readonly targetUUID: string;
  readonly scenarioName: string;
  readonly status: string;
  readonly reason: string;
  readonly createdAt: string | undefined;
}

/** All jobs that there are, live, by their ids. There may be many, so little of each is kept. */
export function useAllJobs(): Snapshot<JobOutline> {
  return useWatch("/api/v1/scenarios/run:watch", {}, outlineOf, (job) => job.jobId, 1000);
}

function outlineOf({ job }: WatchScenarioRunsResponse): JobOutline | undefined {
  if (job === undefined) return undefined;
  const { jobId, runId, targetUUID, scenarioName, status, reason, createdAt } = job;
  return { jobId, runId, targetUUID, scenarioName, status, reason, createdAt };
}

/** The targets that pass the filters of WatchTargets, live, by their uuids. */
export function useTargets(query: Query = {}): Snapshot<Target> {
  return useWatch(
    "/api/v1/operator/targets:watch",
    query,
    (message: WatchTargetsResponse) => message.target,
    (target) => target.uuid,
  );
}

function useWatch<M extends { type: string; resumeToken: string }, T>(
  path: string,
  query: Query,
  entry: (message: M) => T | undefined,
  key: (entry: T) => string,
  gatherMilliseconds?: number,
): Snapshot<T> {
  const { token } = useSession();
  const filters = JSON.stringify(query);
  const collection = useMemo(
    () => new Collection<T>(key, gatherMilliseconds),
    // Another filter, another caller: another collection.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [path, filters, token],
  );
  useEffect(() => {
    const ended = new AbortController();
    void watch<M, T>(path, JSON.parse(filters) as Query, entry, collection, ended.signal);
    return () => ended.abort();
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [path, filters, collection]);
  return useSyncExternalStore(collection.subscribe, collection.get);
}
