import { Link } from "react-router";
import { isFinal } from "../api/runs";
import type { Job } from "../api/types";
import { shortId } from "../ui/ids";
import { Status } from "../ui/Status";
import { Elapsed } from "../ui/Time";
import type { Column } from "../ui/VirtualTable";
import { StopJob } from "./StopJob";

/** The columns of a list of jobs of one run. */
export const JOB_COLUMNS: readonly Column<Job>[] = [
  { title: "Cluster", cell: (job) => <OpenJob job={job} /> },
  { title: "Status", size: "md", cell: ({ status }) => <Status status={status} /> },
  {
    title: "Exit",
    size: "xs",
    isNumber: true,
    cell: ({ exitCode }) => exitCode ?? <span className="krkn-faint">–</span>,
  },
  { title: "Reason", cell: (job) => <Reason job={job} /> },
  {
    title: "Time",
    size: "sm",
    isNumber: true,
    cell: ({ startTime, completionTime, status }) => (
      <Elapsed from={startTime} to={completionTime} isOver={isFinal(status)} />
    ),
  },
  {
    title: "Actions",
    size: "md",
    isHeadless: true,
    cell: (job) => (
      <span className="krkn-actions">
        <Link
          to={`/runs/${job.runId}/logs?job=${job.jobId}`}
          aria-label={`Log of ${job.clusterName}`}
        >
          Log
        </Link>
        <StopJob job={job} isInline />
      </span>
    ),
  },
];

function OpenJob({ job }: { readonly job: Job }) {
  return (
    <Link to={`/runs/${job.runId}/jobs?job=${job.jobId}`} className="krkn-wrap">
      {job.clusterName || shortId(job.targetUUID)}
    </Link>
  );
}

function Reason({ job: { reason, message } }: { readonly job: Job }) {
  if (!reason || reason === "Completed") return <span className="krkn-faint">{reason || "–"}</span>;
  return (
    <span className="krkn-clip" title={message}>
      {reason} <span className="krkn-faint">{message}</span>
    </span>
  );
}
