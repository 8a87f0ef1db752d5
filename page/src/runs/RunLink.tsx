import { Link } from "react-router";
import type { Run } from "../api/types";
import { Labels } from "../ui/Tag";

/** A run's scenario, which leads to the run, and the run's labels. */
export function RunLink({ run }: { readonly run: Run }) {
  return (
    <>
      <Link to={`/runs/${run.runId}`} className="krkn-wrap">
        {run.scenarioName}
      </Link>
      {Object.keys(run.labels).length > 0 && <Labels labels={run.labels} shown={2} />}
    </>
  );
}
