import {
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  Flex,
  FlexItem,
  PageSection,
  Skeleton,
  Title,
} from "@patternfly/react-core";
import { CubesIcon, SearchIcon } from "@patternfly/react-icons";
import { useMemo } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import { AllowedButton } from "../access/AllowedButton";
import { isFinal } from "../api/runs";
import type { Run } from "../api/types";
import { RunActions } from "../run/RunActions";
import { countsOf, countsText } from "../ui/counts";
import { ErrorState } from "../ui/ErrorState";
import { shortId } from "../ui/ids";
import { Progress } from "../ui/Progress";
import { Status } from "../ui/Status";
import { Ago, Elapsed } from "../ui/Time";
import { VirtualTable, type Column } from "../ui/VirtualTable";
import { FilterBar } from "./FilterBar";
import { NO_FILTERS, ofParameters, passes, toParameters, type Filters } from "./filters";
import { RunLink } from "./RunLink";
import { LIMIT, useRuns } from "./useRuns";

/** The runs, newest first, as they are. */
export function RunsScreen() {
  const [parameters, setParameters] = useSearchParams();
  const filters = useMemo(() => ofParameters(parameters), [parameters]);
  const setFilters = (next: Filters) => setParameters(toParameters(next), { replace: true });
  const { runs, readAt, isComplete, error, retry } = useRuns(filters);
  const shown = useMemo(
    () => runs?.filter((run) => passes(run, filters, readAt)),
    [runs, filters, readAt],
  );
  const navigate = useNavigate();
  const isFiltered = parameters.size > 0;
  return (
    <PageSection isFilled>
      <Flex className="krkn-head">
        <FlexItem grow={{ default: "grow" }}>
          <Title headingLevel="h1">Runs</Title>
        </FlexItem>
        <NewRun />
      </Flex>
      <FilterBar filters={filters} onChange={setFilters} />
      {error !== null && <ErrorState title="Runs cannot be read" error={error} onRetry={retry} />}
      {shown === undefined && error === null && <Loading />}
      {shown?.length === 0 &&
        (isFiltered ? <NoneFound onClear={() => setFilters(NO_FILTERS)} /> : <NoneYet />)}
      {shown !== undefined && shown.length > 0 && (
        <>
          <VirtualTable
            label="Runs"
            columns={shown.some((run) => run.requestedBy) ? COLUMNS : ANONYMOUS_COLUMNS}
            entries={shown}
            entryKey={(run) => run.runId}
            onOpen={(run) => void navigate(`/runs/${run.runId}`)}
          />
          <p className="krkn-faint krkn-below">
            {shown.length} {shown.length === 1 ? "run" : "runs"}
            {!isComplete && `, of the newest ${LIMIT}`}
          </p>
        </>
      )}
    </PageSection>
  );
}

const COLUMNS: readonly Column<Run>[] = [
  {
    title: "Scenario",
    cell: (run) => <RunLink run={run} />,
  },
  {
    title: "Status",
    size: "md",
    cell: (run) => <Status status={run.status} />,
  },
  {
    title: "Targets",
    cell: (run) => {
      const counts = countsOf(run.counts);
      return (
        <>
          <Progress counts={counts} />
          <small className="krkn-faint">{countsText(counts)}</small>
        </>
      );
    },
  },
  {
    title: "By",
    size: "lg",
    cell: (run) => run.requestedBy || <span className="krkn-faint">–</span>,
  },
  { title: "Started", size: "sm", cell: (run) => <Ago time={run.createdAt} /> },
  {
    title: "Time",
    size: "sm",
    isNumber: true,
    cell: (run) => (
      <Elapsed from={run.startTime} to={run.completionTime} isOver={isFinal(run.status)} />
    ),
  },
  {
    title: "Run",
    size: "sm",
    cell: (run) => (
      <code className="krkn-nowrap" title={run.runId}>
        {shortId(run.runId)}
      </code>
    ),
  },
  {
    title: "Actions",
    size: "xs",
    isHeadless: true,
    cell: (run) => <RunActions run={run} isMenu />,
  },
];

/** Where callers are not authenticated nobody has asked for a run. */
const ANONYMOUS_COLUMNS = COLUMNS.filter(({ title }) => title !== "By");

function Loading() {
  return (
    <div aria-busy="true" aria-label="Loading the runs">
      {Array.from({ length: 8 }, (_, index) => (
        <Skeleton key={index} className="krkn-skeleton" height="28px" />
      ))}
    </div>
  );
}

function NewRun() {
  const navigate = useNavigate();
  return (
    <AllowedButton verb="create" resource="krknchaosjobs" onClick={() => void navigate("/new")}>
      New run
    </AllowedButton>
  );
}

function NoneFound({ onClear }: { readonly onClear: () => void }) {
  return (
    <EmptyState titleText="No run passes these filters" headingLevel="h2" icon={SearchIcon}>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Button variant="link" onClick={onClear}>
            Clear the filters
          </Button>
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}

function NoneYet() {
  return (
    <EmptyState titleText="Nothing has run yet" headingLevel="h2" icon={CubesIcon}>
      <EmptyStateBody>
        A run is one scenario on many clusters, which are its <Link to="/targets">targets</Link>. By
        command line: <code>krkn-grpc run pod-scenarios --target NAME</code>
      </EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <NewRun />
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}
