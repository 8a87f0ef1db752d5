import type { Run } from "../api/types";
import { Facts, names, pairs } from "../ui/Facts";
import { Ago } from "../ui/Time";
import { seconds } from "../ui/times";
import { keptFor } from "./JobDetails";

/** What a run was asked to do. */
export function RunDetails({ run }: { readonly run: Run }) {
  return (
    <Facts
      isWide
      facts={{
        Scenario: run.scenarioName,
        Image: <code>{run.scenarioImage}</code>,
        By: run.requestedBy,
        Requested: <Ago time={run.createdAt} />,
        Started: run.startTime && <Ago time={run.startTime} />,
        Ended: run.completionTime && <Ago time={run.completionTime} />,
        Environment: pairs(run.environment),
        "Secret variables": names(run.secretEnvironmentNames),
        Files: names(run.fileNames),
        Labels: pairs(run.labels),
        "Kubeconfig in the container": <code>{run.kubeconfigPath}</code>,
        Timeout: seconds(run.timeoutSeconds),
        "At once": run.maxParallel === 0 ? "all" : `at most ${run.maxParallel}`,
        "Failures that stop it": run.maxFailures === undefined ? "none" : moreThan(run),
        "On a busy target":
          run.onBusy === "Refuse" ? "fails" : `waits ${seconds(run.queueSeconds)}`,
        "Alerts that stop it": names(run.abortOn),
        "Jobs are kept": keptFor(run.ttlSecondsAfterFinished),
      }}
    />
  );
}

function moreThan({ maxFailures, abortRunning }: Run): string {
  return `more than ${maxFailures}${abortRunning ? "; running jobs are stopped too" : ""}`;
}
