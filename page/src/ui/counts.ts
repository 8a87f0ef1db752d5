/** The targets of a run by the state of their jobs. */
import type { Job, RunCounts } from "../api/types";

export const STATES = [
  "failed",
  "stopped",
  "refused",
  "running",
  "pending",
  "succeeded",
] as const satisfies readonly (keyof RunCounts)[];
export type State = (typeof STATES)[number];

export const STATE_TITLES: Record<State, string> = {
  failed: "failed",
  stopped: "stopped",
  refused: "refused",
  running: "running",
  pending: "pending",
  succeeded: "succeeded",
};

export type Counts = Readonly<Record<State | "total", number>>;

const NONE: Counts = {
  total: 0,
  pending: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  stopped: 0,
  refused: 0,
};

export function countsOf(counts: RunCounts | undefined): Counts {
  return { ...NONE, ...counts };
}

/** The state that a job is counted as; one that is stopping still runs. */
export function stateOf({ status, startTime }: Job): State {
  if (status === "Stopping") return startTime ? "running" : "pending";
  return STATES.find((state) => state === status.toLowerCase()) ?? "pending";
}

/**
 * Count a run by its jobs, which are fresher than the run itself.
 *
 * A job that is not there any more is one of those that the run counts and the jobs do not show.
 */
export function freshCounts(run: Counts, jobs: Iterable<Job>): Counts {
  const seen: Record<State, number> = { ...NONE };
  let total = 0;
  for (const job of jobs) {
    seen[stateOf(job)] += 1;
    total += 1;
  }
  if (total + run.refused !== run.total) return run;
  return { ...seen, refused: run.refused, total: run.total };
}

/** What share of the run is over, in whole percent; 100 only when all is. */
export function percent(counts: Counts): number {
  if (counts.total === 0) return 0;
  return Math.floor((100 * (counts.total - counts.running - counts.pending)) / counts.total);
}

/** `4 failed, 180 succeeded of 184`, or `180 succeeded`. */
export function countsText(counts: Counts): string {
  const parts = STATES.filter((state) => counts[state] > 0).map(
    (state) => `${counts[state]} ${STATE_TITLES[state]}`,
  );
  return parts.length > 1 ? `${parts.join(", ")} of ${counts.total}` : (parts[0] ?? "no targets");
}
