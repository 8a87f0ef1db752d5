/** The last jobs of each target, live. */
import { createContext, useContext, useMemo, useRef } from "react";
import { useAllJobs, type JobOutline } from "../api/live";

const SHOWN = 6;

export type LastJobs = ReadonlyMap<string, readonly JobOutline[]>;

const NONE: readonly JobOutline[] = [];

/** For the cells of a table, so that its columns, and with them its rows, stay as they are. */
export const LastJobsContext = createContext<LastJobs>(new Map());

export function useLastJobsOf(target: string): readonly JobOutline[] {
  return useContext(LastJobsContext).get(target) ?? NONE;
}

/** The newest jobs by the targets' uuids, newest first; those that stay are the same arrays. */
export function useLastJobs(): LastJobs {
  const { entries } = useAllJobs();
  const before = useRef<LastJobs>(new Map());
  const jobs = useMemo(() => byTarget(newestFirst(entries.values())), [entries]);
  // eslint-disable-next-line react-hooks/refs -- what it was changes which arrays, never what is in
  return useMemo(() => (before.current = keepEqual(jobs, before.current)), [jobs]);
}

function newestFirst(jobs: Iterable<JobOutline>): JobOutline[] {
  return [...jobs].sort((one, other) => compare(other, one));
}

function compare(one: JobOutline, other: JobOutline): number {
  const [first, second] = [one.createdAt ?? "", other.createdAt ?? ""];
  if (first !== second) return first < second ? -1 : 1;
  return one.jobId < other.jobId ? -1 : 1;
}

/** Group jobs, newest first, by target: at most `shown` of each. */
export function byTarget(jobs: Iterable<JobOutline>, shown = SHOWN): LastJobs {
  const found = new Map<string, JobOutline[]>();
  for (const job of jobs) {
    const of = found.get(job.targetUUID);
    if (of === undefined) found.set(job.targetUUID, [job]);
    else if (of.length < shown) of.push(job);
  }
  return found;
}

/** Return `jobs` with the arrays of `before` where they have the same jobs. */
export function keepEqual(jobs: LastJobs, before: LastJobs): LastJobs {
  const kept = new Map<string, readonly JobOutline[]>();
  for (const [target, list] of jobs) {
    const old = before.get(target);
    const isSame = old?.length === list.length && list.every((job, index) => job === old[index]);
    kept.set(target, isSame ? old : list);
  }
  return kept;
}
