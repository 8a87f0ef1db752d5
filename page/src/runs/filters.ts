/**
 * Filters of the list of runs, as they stand in the search field and in the address:
 * `status:Failed scenario:pod-* cluster:eu-1 label:wave=1 by:ci since:24h some text`.
 */
import type { Run } from "../api/types";
import { globMatches } from "../ui/glob";
import { millis } from "../ui/times";

export const KEYS = ["status", "scenario", "cluster", "label", "by", "since"] as const;
export type Key = (typeof KEYS)[number];
export type Filters = Readonly<Record<Key | "text", string>>;

export const NO_FILTERS: Filters = {
  status: "",
  scenario: "",
  cluster: "",
  label: "",
  by: "",
  since: "",
  text: "",
};

export const STATUSES = [
  "Pending",
  "Running",
  "Stopping",
  "Succeeded",
  "PartiallyFailed",
  "Failed",
  "Stopped",
] as const;

/** Read what stands in the search field. A key that is not known is text as any other. */
export function parse(query: string): Filters {
  const found: Record<string, string> = {};
  const words: string[] = [];
  for (const word of query.match(/[a-z]+:"[^"]*"|\S+/g) ?? []) {
    const key = KEYS.find((each) => word.startsWith(`${each}:`));
    const value = key && word.slice(key.length + 1).replace(/^"|"$/g, "");
    if (key === "label" && found.label) found.label += `,${value}`;
    else if (key) found[key] = value ?? "";
    else words.push(word);
  }
  return { ...NO_FILTERS, ...found, status: statusOf(found.status), text: words.join(" ") };
}

/** Complete what is typed: the statuses are words of the API. */
function statusOf(text = ""): string {
  const lower = text.toLowerCase();
  const same = STATUSES.find((each) => each.toLowerCase() === lower);
  return same ?? STATUSES.find((each) => lower && each.toLowerCase().startsWith(lower)) ?? "";
}

/** Write filters as the search field shows them. */
export function format(filters: Filters): string {
  const parts = KEYS.filter((key) => filters[key]).map((key) => {
    const value = filters[key];
    return `${key}:${/\s/.test(value) ? `"${value}"` : value}`;
  });
  return [...parts, filters.text].filter(Boolean).join(" ");
}

/** Read filters from the address. */
export function ofParameters(parameters: URLSearchParams): Filters {
  const read = (name: string) => parameters.get(name) ?? "";
  const entries = [...KEYS, "text" as const].map((name) => [name, read(name)] as const);
  return Object.fromEntries(entries) as unknown as Filters;
}

export function toParameters(filters: Filters): URLSearchParams {
  return new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
}

/** The part of the filters that ListRuns knows. */
export function serverQuery({ status, scenario, label, by }: Filters): Record<string, string> {
  const scenarioName = scenario.includes("*") ? "" : scenario;
  return { status, scenarioName, labelSelector: label, requestedBy: by };
}

/** Whether a run passes the filters that ListRuns does not know; `now` in milliseconds. */
export function passes(run: Run, filters: Filters, now: number): boolean {
  const { scenario, text } = filters;
  if (scenario.includes("*") && !globMatches(scenario, run.scenarioName)) return false;
  const oldest = oldestTime(filters, now);
  if (oldest !== undefined && (millis(run.createdAt) ?? 0) < oldest) return false;
  const labels = Object.entries(run.labels).map(([name, value]) => `${name}=${value}`);
  const words = [run.runId, run.scenarioName, run.scenarioImage, run.requestedBy, ...labels];
  const all = words.join(" ").toLowerCase();
  return text
    .toLowerCase()
    .split(" ")
    .every((word) => all.includes(word));
}

/** The time that `since` stands for: `30m`, `24h`, `7d` before now; undefined when it is none. */
export function oldestTime({ since }: Filters, now: number): number | undefined {
  const match = /^(\d{1,4})([mhd])$/.exec(since);
  if (!match) return undefined;
  const unit = { m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as "m" | "h" | "d"];
  return now - Number(match[1]) * unit;
}
