import { Label, LabelGroup } from "@patternfly/react-core";
import { Link } from "react-router";
import type { Run } from "../api/types";

/** A run's scenario, which leads to the run, and the run's labels. */
export function RunLink({ run }: { readonly run: Run }) {
  const labels = Object.entries(run.labels);
  return (
    <>
      <Link to={`/runs/${run.runId}`} className="krkn-wrap">
        {run.scenarioName}
      </Link>
      {labels.length > 0 && (
        <LabelGroup isCompact numLabels={2} aria-label="Labels" className="krkn-labels">
          {labels.map(([name, value]) => (
            <Label key={name} isCompact variant="outline">
              {value ? `${name}=${value}` : name}
            </Label>
          ))}
        </LabelGroup>
      )}
    </>
  );
}
