/** Filters of the list of targets, as they stand in the address. Pure. */
import type { Target } from "../api/types";
import { isNamed } from "../newrun/selection";

export interface Filters {
  readonly name: string;
  /** A label selector, which the service reads. */
  readonly labels: string;
  /** `true`, `false`, or empty for both. */
  readonly ready: string;
}

export function ofParameters(parameters: URLSearchParams): Filters {
  const read = (name: string) => parameters.get(name) ?? "";
  const ready = read("ready");
  return {
    name: read("name"),
    labels: read("labels"),
    ready: ["true", "false"].includes(ready) ? ready : "",
  };
}

const NAMES = new Intl.Collator(undefined, { numeric: true });

/** The targets that pass, those that are not ready first, then by name. */
export function passing(
  targets: Iterable<Target>,
  { name, ready }: Filters,
  selected: ReadonlySet<string> | undefined,
): Target[] {
  const found = [...targets].filter(
    (target) =>
      isNamed(target.clusterName, name) &&
      (ready === "" || String(target.ready) === ready) &&
      (selected === undefined || selected.has(target.uuid)),
  );
  return found.sort(
    (one, other) =>
      Number(one.ready) - Number(other.ready) || NAMES.compare(one.clusterName, other.clusterName),
  );
}

/** Labels as they are typed and as they are shown: `env=prod, tier=web`. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => (value ? `${key}=${value}` : key))
    .join(", ");
}

/** What PatchTarget has to set and to remove so that the labels become `wanted`. */
export function labelChanges(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): { labels: Record<string, string>; removeLabels: string[] } {
  const set = Object.entries(wanted).filter(([key, value]) => labels[key] !== value);
  return {
    labels: Object.fromEntries(set),
    removeLabels: Object.keys(labels).filter((key) => !(key in wanted)),
  };
}
