import type { Target } from "../api/types";
import { Labels } from "../ui/Tag";
import { Ago } from "../ui/Time";
import type { Column } from "../ui/VirtualTable";
import { TargetDots } from "./Dots";
import { Readiness } from "./Readiness";

/** The table's columns; `open` shows a target's details. */
export function columnsOf(open: (uuid: string) => void): readonly Column<Target>[] {
  return [
    {
      title: "Cluster",
      size: "lg",
      cell: (target) => (
        // Not PatternFly's Button: as in Tag, its custom properties cost more than the row.
        <button type="button" className="krkn-link krkn-wrap" onClick={() => open(target.uuid)}>
          {target.clusterName}
        </button>
      ),
    },
    { title: "State", size: "md", cell: (target) => <Readiness target={target} /> },
    {
      title: "Ready since",
      size: "sm",
      cell: (target) =>
        target.ready ? <Ago time={target.readySince} /> : <span className="krkn-faint">–</span>,
    },
    {
      title: "Version",
      size: "sm",
      cell: (target) => target.serverVersion || <span className="krkn-faint">–</span>,
    },
    {
      title: "Last jobs",
      size: "md",
      cell: (target) => <TargetDots uuid={target.uuid} />,
    },
    {
      title: "Labels",
      cell: ({ labels }) =>
        Object.keys(labels).length > 0 ? (
          <Labels labels={labels} shown={3} />
        ) : (
          <span className="krkn-faint">–</span>
        ),
    },
  ];
}
