import {
  Button,
  Card,
  CardBody,
  CardTitle,
  EmptyState,
  FormSelect,
  FormSelectOption,
  Gallery,
  PageSection,
  Spinner,
  Title,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from "@patternfly/react-core";
import { ChartBarIcon } from "@patternfly/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSession } from "../api/live";
import { listJobs } from "../api/runs";
import { ErrorState } from "../ui/ErrorState";
import { useMerged } from "../ui/useMerged";
import { span } from "../ui/times";
import {
  buckets,
  byName,
  DURATIONS,
  ended,
  histogram,
  OUTCOMES,
  overTime,
  quantile,
  RANGES,
  type Ended,
  type Range,
} from "./aggregate";
import { BarChart } from "./BarChart";
import { Matrix } from "./Matrix";

const MOST_JOBS = 5000;
const INTERVAL_MILLISECONDS = 60_000;

/** What came of the jobs that the service still has: over time, by scenario and by cluster. */
export default function ChartsScreen() {
  const [parameters, merge] = useMerged();
  const asked = parameters.get("range") ?? "24h";
  const range = asked in RANGES ? (asked as Range) : "24h";
  const scenario = parameters.get("scenario") ?? "";
  const cluster = parameters.get("cluster") ?? "";
  const { jobs, readAt, isComplete, error, retry } = useEnded();
  const starts = useMemo(() => buckets(range, readAt), [range, readAt]);
  const inRange = useMemo(() => jobs?.filter(({ at }) => at >= starts[0]!), [jobs, starts]);
  const chosen = useMemo(
    () =>
      inRange?.filter(
        (job) => (!scenario || job.scenario === scenario) && (!cluster || job.cluster === cluster),
      ),
    [inRange, scenario, cluster],
  );
  return (
    <PageSection isFilled>
      <Title headingLevel="h1" className="krkn-head">
        Trends
      </Title>
      <Toolbar className="krkn-filters">
        <ToolbarContent>
          <ToolbarItem>
            <FormSelect
              aria-label="Time"
              value={range}
              onChange={(_, value) => merge({ range: value })}
            >
              {Object.entries(RANGES).map(([value, { title }]) => (
                <FormSelectOption key={value} value={value} label={title} />
              ))}
            </FormSelect>
          </ToolbarItem>
          <ToolbarItem>
            <Names
              title="scenario"
              chosen={scenario}
              names={namesOf(inRange, (job) => job.scenario)}
              onChoose={(name) => merge({ scenario: name })}
            />
          </ToolbarItem>
          <ToolbarItem>
            <Names
              title="cluster"
              chosen={cluster}
              names={namesOf(inRange, (job) => job.cluster)}
              onChoose={(name) => merge({ cluster: name })}
            />
          </ToolbarItem>
          {(scenario || cluster) && (
            <ToolbarItem alignSelf="center">
              <Button variant="link" isInline onClick={() => merge({ scenario: "", cluster: "" })}>
                Clear
              </Button>
            </ToolbarItem>
          )}
        </ToolbarContent>
      </Toolbar>
      {error !== null && <ErrorState title="Jobs cannot be read" error={error} onRetry={retry} />}
      {chosen === undefined && error === null && <Spinner aria-label="Loading the jobs" />}
      {chosen?.length === 0 && (
        <EmptyState titleText="No job ended in this time" headingLevel="h2" icon={ChartBarIcon} />
      )}
      {chosen !== undefined && chosen.length > 0 && (
        <Charts jobs={chosen} range={range} starts={starts} onChoose={merge} />
      )}
      <p className="krkn-faint krkn-below">
        Of the jobs that the service still has
        {!isComplete && `, the newest ${MOST_JOBS}`}: they are deleted some days after their end.
      </p>
    </PageSection>
  );
}

function useEnded() {
  const { token } = useSession();
  const query = useQuery({
    queryKey: ["ended jobs", token],
    queryFn: ({ signal }) => listJobs({}, MOST_JOBS, signal),
    refetchInterval: INTERVAL_MILLISECONDS,
    // Thousands of jobs: to compare each with what it was costs more than to draw.
    structuralSharing: false,
  });
  const jobs = useMemo(() => query.data && ended(query.data), [query.data]);
  return {
    jobs,
    readAt: query.dataUpdatedAt,
    isComplete: (query.data?.length ?? 0) < MOST_JOBS,
    error: query.error,
    retry: () => void query.refetch(),
  };
}

function namesOf(jobs: readonly Ended[] | undefined, nameOf: (job: Ended) => string): string[] {
  const names = new Set(jobs?.map(nameOf));
  return [...names].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
}

interface NamesProps {
  readonly title: string;
  readonly chosen: string;
  readonly names: readonly string[];
  readonly onChoose: (name: string) => void;
}

function Names({ title, chosen, names, onChoose }: NamesProps) {
  return (
    <FormSelect
      aria-label={title.replace(/^./, (first) => first.toUpperCase())}
      value={chosen}
      onChange={(_, name) => onChoose(name)}
    >
      <FormSelectOption value="" label={`Any ${title}`} />
      {chosen && !names.includes(chosen) && <FormSelectOption value={chosen} label={chosen} />}
      {names.map((name) => (
        <FormSelectOption key={name} value={name} label={name} />
      ))}
    </FormSelect>
  );
}

interface ChartsProps {
  readonly jobs: readonly Ended[];
  readonly range: Range;
  readonly starts: readonly number[];
  readonly onChoose: (changes: Record<string, string>) => void;
}

function Charts({ jobs, range, starts, onChoose }: ChartsProps) {
  const times = useMemo(() => starts.map((start) => timeText(start, range)), [starts, range]);
  const outcomes = useMemo(() => {
    const counts = overTime(jobs, starts);
    const series = OUTCOMES.map((each) => ({
      title: each,
      colour: each,
      values: counts.map((count) => count[each]),
    }));
    return { labels: times, series };
  }, [jobs, starts, times]);
  const durations = useMemo(() => jobs.flatMap(({ took }) => took ?? []), [jobs]);
  const groups = useMemo(
    () => ({
      labels: DURATIONS.map(durationText),
      series: [{ title: "jobs", colour: "running", values: histogram(durations) }],
    }),
    [durations],
  );
  return (
    <>
      <Gallery hasGutter minWidths={{ default: "min(100%, 30rem)" }}>
        <Card>
          <CardTitle component="h2">Outcomes over time</CardTitle>
          <CardBody>
            <BarChart label="Outcomes of jobs over time" head="Time" bars={outcomes} />
          </CardBody>
        </Card>
        <Card>
          <CardTitle component="h2">Duration{quantiles(durations)}</CardTitle>
          <CardBody>
            <BarChart label="Jobs by their duration" head="Duration" bars={groups} />
          </CardBody>
        </Card>
      </Gallery>
      <Card className="krkn-above">
        <CardTitle component="h2">By scenario</CardTitle>
        <CardBody>
          <Matrix
            label="Outcomes by scenario over time"
            head="Scenario"
            rows={byName(jobs, ({ scenario }) => scenario, starts)}
            times={times}
            onChoose={(scenario) => onChoose({ scenario })}
          />
        </CardBody>
      </Card>
      <Card className="krkn-above">
        <CardTitle component="h2">By cluster</CardTitle>
        <CardBody>
          <Matrix
            label="Outcomes by cluster over time"
            head="Cluster"
            rows={byName(jobs, ({ cluster }) => cluster, starts)}
            times={times}
            onChoose={(cluster) => onChoose({ cluster })}
          />
        </CardBody>
      </Card>
    </>
  );
}

function timeText(start: number, range: Range): string {
  const isShort = range === "1h" || range === "24h";
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  const day = { month: "short", day: "numeric" } as const;
  return new Date(start).toLocaleString(
    undefined,
    isShort ? time : range === "7d" ? { ...day, hour: "2-digit" } : day,
  );
}

function durationText(end: number, index: number): string {
  if (end === Infinity) return `> ${span(DURATIONS[index - 1]! * 1000)}`;
  return `≤ ${span(end * 1000)}`;
}

function quantiles(durations: readonly number[]): string {
  const half = quantile(durations, 0.5);
  const most = quantile(durations, 0.95);
  if (half === undefined || most === undefined) return "";
  return `: half within ${span(half)}, 95 % within ${span(most)}`;
}
