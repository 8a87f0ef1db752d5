/** Jobs of a run: their order, and filters of them. */
import type { Job } from "../api/types";
import { stateOf, type State } from "../ui/counts";
import { globMatches } from "../ui/glob";

const ORDER: readonly State[] = ["failed", "running", "pending", "stopped", "refused", "succeeded"];
const names = new Intl.Collator("en", { numeric: true });

/** Sort jobs: those that failed first, and those of a state by the names of their clusters. */
export function failedFirst(jobs: Iterable<Job>): Job[] {
  const rank = (job: Job) => ORDER.indexOf(stateOf(job));
  return [...jobs].sort(
    (one, other) =>
      rank(one) - rank(other) ||
      names.compare(one.clusterName, other.clusterName) ||
      names.compare(one.jobId, other.jobId),
  );
}

export interface JobFilters {
  readonly state: string;
  readonly reason: string;
  readonly text: string;
}

/** Whether a job passes. The text is part of the name of its cluster, or a pattern with `*`. */
export function passes(job: Job, { state, reason, text }: JobFilters): boolean {
  if (state && stateOf(job) !== state) return false;
  if (reason && job.reason !== reason) return false;
  if (!text) return true;
  const words = `${job.clusterName} ${job.jobId} ${job.message}`.toLowerCase();
  return text.includes("*")
    ? globMatches(text, job.clusterName)
    : words.includes(text.toLowerCase());
}

/** The reasons that the jobs have, each with how many have it, the most frequent first. */
export function reasons(jobs: Iterable<Job>): [string, number][] {
  const counts = new Map<string, number>();
  for (const { reason } of jobs) if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1] || names.compare(one[0], other[0]));
}
