import { Content } from "@patternfly/react-core";
import { useState } from "react";
import { AllowedButton } from "../access/AllowedButton";
import { isFinal, stopJob } from "../api/runs";
import type { Job } from "../api/types";
import { Confirm } from "../ui/Confirm";

interface Props {
  readonly job: Job;
  readonly isInline?: boolean;
}

/** Stops a job, after a question; nothing where it is over. */
export function StopJob({ job, isInline = false }: Props) {
  const [isAsked, setAsked] = useState(false);
  if (isFinal(job.status) || job.status === "Stopping") return null;
  return (
    <>
      <AllowedButton
        verb="update"
        resource="krknchaosjobs"
        variant={isInline ? "link" : "secondary"}
        isInline={isInline}
        isDanger
        size="sm"
        aria-label={`Stop ${job.clusterName}`}
        onClick={() => setAsked(true)}
      >
        Stop
      </AllowedButton>
      {isAsked && (
        <Confirm
          title={`Stop ${job.scenarioName} on ${job.clusterName}?`}
          action="Stop 1 job"
          isDanger
          onClose={() => setAsked(false)}
          onConfirm={async () => {
            await stopJob(job.jobId);
          }}
        >
          <Content component="p">
            The scenario gets time to roll back before it is killed. The other jobs of the run go
            on.
          </Content>
        </Confirm>
      )}
    </>
  );
}
