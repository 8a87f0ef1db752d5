import { Button, Label, LabelGroup } from "@patternfly/react-core";
import type { Target } from "../api/types";
import { Ago } from "../ui/Time";
import type { Column } from "../ui/VirtualTable";
import { Dots } from "./Dots";
import type { LastJobs } from "./lastJobs";
import { Readiness } from "./Readiness";

/** The table's columns; `open` shows a target's details. */
export function columnsOf(jobs: LastJobs, open: (uuid: string) => void): readonly Column<Target>[] {
  return [
    {
      title: "Cluster",
      size: "lg",
      cell: (target) => (
        <Button
          variant="link"
          isInline
          className="krkn-wrap krkn-name"
          onClick={() => open(target.uuid)}
        >
          {target.clusterName}
        </Button>
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
      cell: (target) => <Dots jobs={jobs.get(target.uuid) ?? []} />,
    },
    { title: "Labels", cell: (target) => <Labels labels={target.labels} /> },
  ];
}

function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  const entries = Object.entries(labels);
  if (entries.length === 0) return <span className="krkn-faint">–</span>;
  return (
    <LabelGroup isCompact numLabels={3} aria-label="Labels">
      {entries.map(([key, value]) => (
        <Label key={key} isCompact variant="outline">
          {value ? `${key}=${value}` : key}
        </Label>
      ))}
    </LabelGroup>
  );
}
