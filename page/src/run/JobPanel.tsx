import { Button, Title } from "@patternfly/react-core";
import { TimesIcon } from "@patternfly/react-icons";
import { useEffect, useRef } from "react";
import type { Job } from "../api/types";
import { shortId } from "../ui/ids";
import { JobDetails } from "./JobDetails";

interface Props {
  readonly job: Job;
  readonly onClose: () => void;
}

/** The job that is open: beside the list, which scrolls under it; over it on a narrow screen. */
export function JobPanel({ job, onClose }: Props) {
  const panel = useRef<HTMLElement>(null);
  const { jobId } = job;
  useEffect(() => {
    const before = document.activeElement;
    panel.current?.focus({ preventScroll: true });
    panel.current?.scrollTo(0, 0);
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, [jobId]);
  return (
    <aside
      ref={panel}
      className="krkn-panel"
      tabIndex={-1}
      aria-label={`Job on ${job.clusterName}`}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <header>
        <Title headingLevel="h2" size="lg" className="krkn-wrap">
          {job.clusterName || shortId(job.targetUUID)}
        </Title>
        <Button
          variant="plain"
          size="sm"
          aria-label="Close the job"
          icon={<TimesIcon />}
          onClick={onClose}
        />
      </header>
      <JobDetails job={job} />
    </aside>
  );
}
