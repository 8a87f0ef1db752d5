import {
  Alert,
  Breadcrumb,
  BreadcrumbItem,
  Bullseye,
  Flex,
  FlexItem,
  PageSection,
  Spinner,
  Tab,
  Tabs,
  TabTitleText,
  Title,
} from "@patternfly/react-core";
import { lazy, Suspense, useMemo } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { useJobs } from "../api/live";
import { isFinal } from "../api/runs";
import type { Job, Run } from "../api/types";
import { countsOf, freshCounts, percent, type Counts } from "../ui/counts";
import { CopyButton } from "../ui/CopyButton";
import { ErrorState } from "../ui/ErrorState";
import { shortId } from "../ui/ids";
import { Progress } from "../ui/Progress";
import { Status } from "../ui/Status";
import { Ago, Elapsed } from "../ui/Time";
import { Commands } from "./Commands";
import { JobsTab } from "./JobsTab";
import { Legend } from "./Legend";
import { RunActions } from "./RunActions";
import { RunDetails } from "./RunDetails";
import { useRun } from "./useRun";

const LogsTab = lazy(() => import("../logs/LogsTab"));

const TITLES: Readonly<Record<string, string>> = {
  jobs: "Jobs",
  logs: "Logs",
  details: "Details",
  commands: "Commands",
};

/** One run: how far it is, and in tabs its jobs, their logs, what was asked for, commands. */
export function RunScreen() {
  const { runId = "", tab = "jobs" } = useParams();
  const jobs = useJobs({ runId });
  const areJobsOver = useMemo(
    () => jobs.isSynced && [...jobs.entries.values()].every(({ status }) => isFinal(status)),
    [jobs],
  );
  const { data: run, error, refetch } = useRun(runId, areJobsOver);
  const navigate = useNavigate();
  if (error && !run) {
    return (
      <PageSection>
        <ErrorState title="The run cannot be read" error={error} onRetry={() => void refetch()} />
        <Link to="/runs">All runs</Link>
      </PageSection>
    );
  }
  if (!run) return <Loading />;
  const screens = {
    jobs: <JobsTab run={run} jobs={jobs} />,
    logs: (
      <Suspense fallback={<Loading />}>
        <LogsTab run={run} jobs={jobs.entries} />
      </Suspense>
    ),
    details: <RunDetails run={run} />,
    commands: <Commands of={run} />,
  };
  return (
    <PageSection isFilled>
      <Head run={run} jobs={[...jobs.entries.values()]} />
      {jobs.error && <ErrorState title="The jobs are not live at the moment" error={jobs.error} />}
      <Tabs
        activeKey={tab in TITLES ? tab : "jobs"}
        onSelect={(_, key) => void navigate(`/runs/${runId}/${key}`, { replace: true })}
        aria-label="The run"
        mountOnEnter
        unmountOnExit
        className="krkn-tabs"
      >
        {Object.entries(screens).map(([key, screen]) => (
          <Tab key={key} eventKey={key} title={<TabTitleText>{TITLES[key]}</TabTitleText>}>
            {screen}
          </Tab>
        ))}
      </Tabs>
    </PageSection>
  );
}

function Loading() {
  return (
    <Bullseye>
      <Spinner aria-label="Loading" />
    </Bullseye>
  );
}

interface HeadProps {
  readonly run: Run;
  readonly jobs: readonly Job[];
}

function Head({ run, jobs }: HeadProps) {
  const counts = useMemo(() => freshCounts(countsOf(run.counts), jobs), [run.counts, jobs]);
  return (
    <>
      <Breadcrumb>
        <BreadcrumbItem>
          <Link to="/runs">Runs</Link>
        </BreadcrumbItem>
        <BreadcrumbItem isActive>{shortId(run.runId)}</BreadcrumbItem>
      </Breadcrumb>
      <Flex className="krkn-head">
        <FlexItem grow={{ default: "grow" }}>
          <Title headingLevel="h1" className="krkn-title">
            {run.scenarioName} <Status status={run.status} />
          </Title>
          <div className="krkn-faint">
            {run.requestedBy && <>by {run.requestedBy}, </>}
            requested <Ago time={run.createdAt} />, {isFinal(run.status) ? "took" : "running for"}{" "}
            <Elapsed from={run.startTime} to={run.completionTime} isOver={isFinal(run.status)} />,{" "}
            <code className="krkn-wrap">{run.runId}</code>
            <CopyButton text={run.runId} label="the run's id" />
          </div>
        </FlexItem>
        <FlexItem>
          <RunActions run={run} />
        </FlexItem>
      </Flex>
      <HowFar run={run} counts={counts} />
      {run.stop && (
        <Alert
          variant="warning"
          isInline
          component="p"
          className="krkn-above"
          title={`Stopped${run.stop.by ? ` by ${run.stop.by}` : ""}: ${run.stop.message || run.stop.reason}`}
        />
      )}
    </>
  );
}

function HowFar({ run, counts }: { readonly run: Run; readonly counts: Counts }) {
  return (
    <div className="krkn-how-far">
      <Flex justifyContent={{ default: "justifyContentSpaceBetween" }}>
        <Legend runId={run.runId} counts={counts} />
        {!isFinal(run.status) && <span className="krkn-number">{percent(counts)} %</span>}
      </Flex>
      <Progress counts={counts} isLarge />
    </div>
  );
}
