import { Button } from "@patternfly/react-core";
import { OUTCOMES, success, total, type Outcomes, type Row } from "./aggregate";

interface Props {
  readonly label: string;
  /** What the names are: `Scenario` or `Cluster`. */
  readonly head: string;
  readonly rows: readonly Row[];
  /** The parts of the time, in words. */
  readonly times: readonly string[];
  readonly onChoose: (name: string) => void;
}

const MOST_ROWS = 20;

/** Outcomes over time, a line for each name, so that one sees who failed when. */
export function Matrix({ label, head, rows, times, onChoose }: Props) {
  return (
    <div className="krkn-matrix-box" tabIndex={0} role="region" aria-label={label}>
      <table className="krkn-matrix">
        <thead>
          <tr>
            <th scope="col">{head}</th>
            <th scope="col">Jobs</th>
            <th scope="col">Succeeded</th>
            <th scope="col" colSpan={times.length} className="krkn-faint">
              <span className="krkn-ends">
                <span>{times[0]}</span>
                <span>{times.at(-1)}</span>
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map(({ name, all, parts }) => (
            <tr key={name}>
              <th scope="row">
                <Button variant="link" isInline onClick={() => onChoose(name)}>
                  {name}
                </Button>
              </th>
              <td className="krkn-number">{total(all)}</td>
              <td className="krkn-number">{percentText(all)}</td>
              {parts.map((part, index) => (
                <Cell key={times[index]} part={part} time={times[index] ?? ""} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST_ROWS && (
        <p className="krkn-faint">
          {rows.length - MOST_ROWS} more, with fewer failures, are not shown.
        </p>
      )}
    </div>
  );
}

function Cell({ part, time }: { readonly part: Outcomes; readonly time: string }) {
  const all = total(part);
  const words = OUTCOMES.filter((each) => part[each] > 0).map((each) => `${part[each]} ${each}`);
  const text = `${time}: ${words.join(", ") || "nothing"}`;
  return (
    <td title={text} className="krkn-cell">
      <span className="pf-v6-screen-reader">{text}</span>
      {all > 0 && (
        <span className="krkn-stack" aria-hidden="true">
          {OUTCOMES.filter((each) => part[each] > 0).map((each) => (
            <span key={each} className={`krkn-${each}`} style={{ flexGrow: part[each] }} />
          ))}
        </span>
      )}
    </td>
  );
}

function percentText(all: Outcomes): string {
  const share = success(all);
  return share === undefined ? "–" : `${Math.floor(share * 100)} %`;
}
