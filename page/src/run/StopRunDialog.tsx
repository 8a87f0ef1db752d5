import { Content } from "@patternfly/react-core";
import { useQueryClient } from "@tanstack/react-query";
import { stopRun } from "../api/runs";
import type { Run } from "../api/types";
import { Confirm } from "../ui/Confirm";
import { countsOf } from "../ui/counts";

interface Props {
  readonly run: Run;
  readonly onClose: () => void;
}

/** Asks whether to stop all jobs of a run, and does it. */
export function StopRunDialog({ run, onClose }: Props) {
  const queries = useQueryClient();
  const { running, pending } = countsOf(run.counts);
  const jobs = (count: number) => `${count} ${count === 1 ? "job" : "jobs"}`;
  return (
    <Confirm
      title={`Stop ${run.scenarioName}?`}
      action={`Stop ${jobs(running + pending)}`}
      isDanger
      onClose={onClose}
      onConfirm={async () => {
        await stopRun(run.runId);
        await queries.invalidateQueries();
      }}
    >
      <Content component="p">
        {jobs(running)} running and {pending} waiting. Scenarios that run get time to roll back
        before they are killed; those that wait do not start.
      </Content>
    </Confirm>
  );
}
