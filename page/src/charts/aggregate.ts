/** Figures of jobs: outcomes over time, by scenario and by cluster, and how long they took. */
import type { Job } from "../api/types";
import { stateOf } from "../ui/counts";
import { millis } from "../ui/times";

export const OUTCOMES = ["succeeded", "failed", "stopped"] as const;
export type Outcome = (typeof OUTCOMES)[number];
export type Outcomes = Readonly<Record<Outcome, number>>;

export const RANGES = {
  "1h": { title: "Last hour", buckets: 12, step: 5 * 60_000 },
  "24h": { title: "Last day", buckets: 24, step: 3_600_000 },
  "7d": { title: "Last week", buckets: 14, step: 12 * 3_600_000 },
  "30d": { title: "Last month", buckets: 30, step: 24 * 3_600_000 },
} as const;
export type Range = keyof typeof RANGES;

/** Times, each the start of a part of the range; the last part has `now` in it. */
export function buckets(range: Range, now: number): number[] {
  const { buckets: count, step } = RANGES[range];
  const last = Math.floor(now / step) * step;
  return Array.from({ length: count }, (_, index) => last - (count - 1 - index) * step);
}

/** A job that is over, and what the figures need of it. Times in milliseconds. */
export interface Ended {
  readonly scenario: string;
  readonly cluster: string;
  readonly outcome: Outcome;
  readonly at: number;
  /** Undefined for a job whose scenario never started. */
  readonly took: number | undefined;
}

/** Keep the jobs that are over. */
export function ended(jobs: Iterable<Job>): Ended[] {
  const all: Ended[] = [];
  for (const job of jobs) {
    const outcome = OUTCOMES.find((each) => each === stateOf(job));
    const at = millis(job.completionTime);
    if (outcome === undefined || at === undefined) continue;
    const start = millis(job.startTime);
    all.push({
      scenario: job.scenarioName,
      cluster: job.clusterName || job.targetUUID,
      outcome,
      at,
      took: start === undefined ? undefined : Math.max(0, at - start),
    });
  }
  return all;
}

function none(): Record<Outcome, number> {
  return { succeeded: 0, failed: 0, stopped: 0 };
}

export function total(outcomes: Outcomes): number {
  return OUTCOMES.reduce((sum, each) => sum + outcomes[each], 0);
}

/** The share of those that were not stopped which succeeded; undefined without any. */
export function success({ succeeded, failed }: Outcomes): number | undefined {
  return succeeded + failed === 0 ? undefined : succeeded / (succeeded + failed);
}

/** Count outcomes in each part of the range. */
export function overTime(jobs: readonly Ended[], starts: readonly number[]): Outcomes[] {
  const counts = starts.map(none);
  for (const { at, outcome } of jobs) {
    const part = counts[partOf(at, starts)];
    if (part) part[outcome] += 1;
  }
  return counts;
}

function partOf(at: number, starts: readonly number[]): number {
  const first = starts[0] ?? 0;
  const step = (starts[1] ?? first + 1) - first;
  return Math.floor((at - first) / step);
}

export interface Row {
  readonly name: string;
  readonly all: Outcomes;
  readonly parts: readonly Outcomes[];
}

/** Count outcomes over time for each name; those with the most failures first. */
export function byName(
  jobs: readonly Ended[],
  nameOf: (job: Ended) => string,
  starts: readonly number[],
): Row[] {
  const groups = new Map<string, Ended[]>();
  for (const job of jobs) {
    const group = groups.get(nameOf(job));
    if (group) group.push(job);
    else groups.set(nameOf(job), [job]);
  }
  const rows = [...groups].map(([name, group]) => {
    const parts = overTime(group, starts);
    const all = none();
    for (const part of parts) for (const each of OUTCOMES) all[each] += part[each];
    return { name, all, parts };
  });
  return rows
    .filter(({ all }) => total(all) > 0)
    .sort(
      (one, other) =>
        other.all.failed - one.all.failed ||
        total(other.all) - total(one.all) ||
        one.name.localeCompare(other.name, "en", { numeric: true }),
    );
}

/** Upper ends of the groups of durations, in seconds; the last group has no end. */
export const DURATIONS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, Infinity] as const;

/** Count durations by DURATIONS. */
export function histogram(milliseconds: readonly number[]): number[] {
  const counts = DURATIONS.map(() => 0);
  for (const value of milliseconds) {
    const group = DURATIONS.findIndex((end) => value <= end * 1000);
    counts[group] = (counts[group] ?? 0) + 1;
  }
  return counts;
}

/** The value that a share of all is not above; undefined when there are none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
