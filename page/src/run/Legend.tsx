import { Link } from "react-router";
import { STATE_TITLES, STATES, type Counts, type State } from "../ui/counts";

interface Props {
  readonly runId: string;
  readonly counts: Counts;
}

/** How many jobs are in each state; each leads to those jobs. */
export function Legend({ runId, counts }: Props) {
  return (
    <ul className="krkn-legend" aria-label="Jobs by state">
      {STATES.filter((state) => counts[state] > 0).map((state) => (
        <li key={state}>
          <span className={`krkn-dot krkn-${state}`} aria-hidden="true" />
          <Link to={address(runId, state)}>
            <strong className="krkn-number">{counts[state]}</strong> {STATE_TITLES[state]}
          </Link>
        </li>
      ))}
      <li className="krkn-faint">
        of {counts.total} {counts.total === 1 ? "target" : "targets"}
      </li>
    </ul>
  );
}

function address(runId: string, state: State): string {
  return state === "refused" ? `/runs/${runId}` : `/runs/${runId}/jobs?state=${state}`;
}
