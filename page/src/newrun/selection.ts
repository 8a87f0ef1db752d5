/** Which targets a run is for. Pure. */
import type { JobOutline } from "../api/live";
import { isFinal } from "../api/runs";
import type { Target } from "../api/types";
import { globMatches } from "../ui/glob";

/** The reasons for which a run on a target is refused, whatever the request says. */
const CANNOT_RUN = ["DuplicateName", "DuplicateAPIURL", "InvalidKubeconfig", "AddressRefused"];

export function canRun(target: Target): boolean {
  return target.ready || !CANNOT_RUN.includes(target.reason);
}

/** Whether a name passes a search: a pattern when it has a `*`, else a part of the name. */
export function isNamed(name: string, search: string): boolean {
  const text = search.trim();
  return text.includes("*")
    ? globMatches(text, name)
    : name.toLowerCase().includes(text.toLowerCase());
}

/** The targets that pass a search for a name, and, where a selector is given, have its labels. */
export function found(
  targets: Iterable<Target>,
  search: string,
  selected: ReadonlySet<string> | undefined,
): Target[] {
  const passing = [...targets].filter(
    ({ uuid, clusterName }) =>
      (selected === undefined || selected.has(uuid)) && isNamed(clusterName, search),
  );
  const names = new Intl.Collator(undefined, { numeric: true });
  return passing.sort((one, other) => names.compare(one.clusterName, other.clusterName));
}

/** How many jobs that are not final each target has, by its uuid. */
export function busy(jobs: Iterable<JobOutline>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { targetUUID, status } of jobs) {
    if (!isFinal(status)) counts.set(targetUUID, (counts.get(targetUUID) ?? 0) + 1);
  }
  return counts;
}

export interface Summary {
  readonly selected: number;
  readonly busy: number;
  readonly notReady: number;
  /** Selected, but not a target any more. */
  readonly gone: number;
}

export function summary(
  selected: ReadonlySet<string>,
  targets: ReadonlyMap<string, Target>,
  jobs: ReadonlyMap<string, number>,
): Summary {
  let counts = { busy: 0, notReady: 0, gone: 0 };
  for (const uuid of selected) {
    const target = targets.get(uuid);
    counts = {
      busy: counts.busy + (jobs.has(uuid) ? 1 : 0),
      notReady: counts.notReady + (target && !target.ready ? 1 : 0),
      gone: counts.gone + (target ? 0 : 1),
    };
  }
  return { selected: selected.size, ...counts };
}

/** `204 selected, 3 busy, 2 not ready`. */
export function summaryText(of: Summary): string {
  const parts = [
    `${of.selected} selected`,
    of.busy > 0 && `${of.busy} busy`,
    of.notReady > 0 && `${of.notReady} not ready`,
    of.gone > 0 && `${of.gone} not registered any more`,
  ];
  return parts.filter(Boolean).join(", ");
}

export const clusters = (count: number) => `${count} ${count === 1 ? "cluster" : "clusters"}`;
