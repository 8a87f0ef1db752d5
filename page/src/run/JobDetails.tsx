import { Button, Flex } from "@patternfly/react-core";
import { Link } from "react-router";
import { isFinal } from "../api/runs";
import type { Job } from "../api/types";
import { Facts, names, pairs } from "../ui/Facts";
import { Status } from "../ui/Status";
import { Ago, Elapsed } from "../ui/Time";
import { seconds } from "../ui/times";
import { Commands } from "./Commands";
import { reported } from "./reported";
import { StopJob } from "./StopJob";

/** All that is known of a job. */
export function JobDetails({ job }: { readonly job: Job }) {
  return (
    <>
      <Flex className="krkn-buttons">
        <Button
          variant="secondary"
          size="sm"
          component={(props: object) => (
            <Link {...props} to={`/runs/${job.runId}/logs?job=${job.jobId}`} />
          )}
        >
          Log
        </Button>
        <StopJob job={job} />
      </Flex>
      <Facts
        facts={{
          Status: <Status status={job.status} />,
          Reason: job.reason,
          Message: job.message,
          "Exit code": job.exitCode,
          ...reported(job.result),
          Requested: job.createdAt && <Ago time={job.createdAt} />,
          By: job.requestedBy,
          Started: job.startTime && <Ago time={job.startTime} />,
          Took: job.startTime && (
            <Elapsed from={job.startTime} to={job.completionTime} isOver={isFinal(job.status)} />
          ),
          Image: <code>{job.scenarioImage}</code>,
          Environment: pairs(job.environment),
          "Secret variables": names(job.secretEnvironmentNames),
          Files: names(job.fileNames),
          Labels: pairs(job.labels),
          Timeout: seconds(job.timeoutSeconds),
          "Kept after its end": keptFor(job.ttlSecondsAfterFinished),
          Job: <code>{job.jobId}</code>,
          Target: <code>{job.targetUUID}</code>,
          Pod: <code>{job.podName}</code>,
        }}
      />
      <Commands of={job} />
    </>
  );
}

export function keptFor(ttl: number | undefined): string {
  return ttl === undefined ? "until it is deleted" : seconds(ttl);
}
