import {
  BanIcon,
  CheckCircleIcon,
  ExclamationCircleIcon,
  HourglassHalfIcon,
  InProgressIcon,
  PendingIcon,
} from "@patternfly/react-icons";
import { memo, type ComponentType } from "react";
import { Link } from "react-router";
import type { JobOutline } from "../api/live";
import { Ago } from "../ui/Time";
import { useLastJobsOf } from "./lastJobs";

interface Shape {
  readonly Icon: ComponentType;
  readonly className: string;
}

/** Told apart by shape and by words, not by colour alone. */
const SHAPES: Record<string, Shape> = {
  Succeeded: { Icon: CheckCircleIcon, className: "krkn-dot-succeeded" },
  Failed: { Icon: ExclamationCircleIcon, className: "krkn-dot-failed" },
  Stopped: { Icon: BanIcon, className: "krkn-dot-stopped" },
  Running: { Icon: InProgressIcon, className: "krkn-dot-running" },
  Stopping: { Icon: HourglassHalfIcon, className: "krkn-dot-running" },
};
const OTHER: Shape = { Icon: PendingIcon, className: "krkn-dot-pending" };

/** The last jobs of the target with this uuid, live. */
export function TargetDots({ uuid }: { readonly uuid: string }) {
  return <Dots jobs={useLastJobsOf(uuid)} />;
}

/** The last jobs of a target, newest first, each a link to its run. */
const Dots = memo(function Dots({ jobs }: { readonly jobs: readonly JobOutline[] }) {
  if (jobs.length === 0) return <span className="krkn-faint">–</span>;
  return (
    <span className="krkn-dots">
      {jobs.map((job) => (
        <Dot key={job.jobId} job={job} />
      ))}
    </span>
  );
});

function Dot({ job }: { readonly job: JobOutline }) {
  const { Icon, className } = SHAPES[job.status] ?? OTHER;
  const title = `${job.status}: ${job.scenarioName}${job.reason ? `, ${job.reason}` : ""}`;
  const icon = <Icon />;
  if (!job.runId) {
    return (
      <span className={className} role="img" aria-label={title} title={title}>
        {icon}
      </span>
    );
  }
  return (
    <Link to={`/runs/${job.runId}`} className={className} aria-label={title} title={title}>
      {icon}
    </Link>
  );
}

/** The last jobs with words, for a target's details. */
export function LastJobsList({ jobs }: { readonly jobs: readonly JobOutline[] }) {
  if (jobs.length === 0) return <p className="krkn-faint">Nothing has run on it lately.</p>;
  return (
    <ul>
      {jobs.map((job) => (
        <li key={job.jobId} className="krkn-last-job">
          <Dot job={job} />
          {job.runId ? <Link to={`/runs/${job.runId}`}>{job.scenarioName}</Link> : job.scenarioName}
          <span>{job.status}</span>
          <span className="krkn-faint">{job.reason}</span>
          <Ago time={job.createdAt} />
        </li>
      ))}
    </ul>
  );
}
