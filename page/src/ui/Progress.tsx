import { countsText, percent, type Counts, type State } from "./counts";

/** Order of the segments: what is over, then what is not. */
const SEGMENTS: readonly State[] = [
  "succeeded",
  "failed",
  "stopped",
  "refused",
  "running",
  "pending",
];

interface Props {
  readonly counts: Counts;
  readonly isLarge?: boolean;
}

/** How far a run is, as a bar with a segment for each state. */
export function Progress({ counts, isLarge = false }: Props) {
  return (
    <div
      className={`krkn-progress ${isLarge ? "krkn-large" : ""}`}
      role="progressbar"
      aria-label={countsText(counts)}
      aria-valuenow={percent(counts)}
      title={countsText(counts)}
    >
      {SEGMENTS.filter((state) => counts[state] > 0).map((state) => (
        <span
          key={state}
          className={`krkn-segment krkn-${state}`}
          style={{ flexGrow: counts[state] }}
        />
      ))}
    </div>
  );
}
