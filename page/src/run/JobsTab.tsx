import {
  Button,
  EmptyState,
  FormSelect,
  FormSelectOption,
  SearchInput,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from "@patternfly/react-core";
import { SearchIcon } from "@patternfly/react-icons";
import { useMemo } from "react";
import type { Snapshot } from "../api/collection";
import type { Job, Run } from "../api/types";
import { countsOf, STATE_TITLES, STATES, stateOf } from "../ui/counts";
import { useMerged } from "../ui/useMerged";
import { VirtualTable } from "../ui/VirtualTable";
import { JOB_COLUMNS } from "./jobColumns";
import { JobPanel } from "./JobPanel";
import { failedFirst, passes, reasons, type JobFilters } from "./jobs";
import { Refused } from "./Refused";

interface Props {
  readonly run: Run;
  readonly jobs: Snapshot<Job>;
}

/** The jobs of a run, live, those that failed first; one of them opens beside them. */
export function JobsTab({ run, jobs }: Props) {
  const [parameters, merge] = useMerged();
  const filters = {
    state: parameters.get("state") ?? "",
    reason: parameters.get("reason") ?? "",
    text: parameters.get("text") ?? "",
  };
  const { state, reason, text } = filters;
  const sorted = useMemo(() => failedFirst(jobs.entries.values()), [jobs.entries]);
  const shown = useMemo(
    () => sorted.filter((job) => passes(job, { state, reason, text })),
    [sorted, state, reason, text],
  );
  const open = jobs.entries.get(parameters.get("job") ?? "");
  return (
    <div className="krkn-split">
      <div className="krkn-list">
        <Refused run={run} />
        <Filters jobs={sorted} filters={filters} onChange={merge} />
        {jobs.isSynced && shown.length === 0 && (
          <EmptyState
            titleText={sorted.length > 0 ? "No job passes these filters" : "No job is there"}
            headingLevel="h2"
            icon={SearchIcon}
          >
            {sorted.length > 0 && (
              <Button variant="link" onClick={() => merge({ state: "", reason: "", text: "" })}>
                Clear the filters
              </Button>
            )}
          </EmptyState>
        )}
        {shown.length > 0 && (
          <VirtualTable
            label="Jobs"
            columns={JOB_COLUMNS}
            entries={shown}
            entryKey={(job) => job.jobId}
            selected={open?.jobId}
            onOpen={(job) => merge({ job: job.jobId })}
          />
        )}
        <Gone run={run} jobs={jobs} />
      </div>
      {open && <JobPanel job={open} onClose={() => merge({ job: "" })} />}
    </div>
  );
}

/** Jobs that the run has counted and that are deleted. */
function Gone({ run, jobs }: Props) {
  const counts = countsOf(run.counts);
  const gone = counts.total - counts.refused - jobs.entries.size;
  if (!jobs.isSynced || gone <= 0 || counts.running + counts.pending > 0) return null;
  return (
    <p className="krkn-faint krkn-below">
      {gone} {gone === 1 ? "job is" : "jobs are"} deleted; the run has counted them.
    </p>
  );
}

interface FiltersProps {
  readonly jobs: readonly Job[];
  readonly filters: JobFilters;
  readonly onChange: (filters: Partial<JobFilters>) => void;
}

function Filters({ jobs, filters, onChange }: FiltersProps) {
  const states = useMemo(() => new Set(jobs.map(stateOf)), [jobs]);
  const why = useMemo(() => reasons(jobs), [jobs]);
  return (
    <Toolbar className="krkn-filters">
      <ToolbarContent>
        <ToolbarItem className="krkn-grow">
          <SearchInput
            aria-label="Filter the jobs"
            placeholder="Cluster, part of it or eu-*"
            value={filters.text}
            onChange={(_, text) => onChange({ text })}
            onClear={() => onChange({ text: "" })}
          />
        </ToolbarItem>
        <ToolbarItem>
          <FormSelect
            aria-label="Status"
            value={filters.state}
            onChange={(_, state) => onChange({ state })}
          >
            <FormSelectOption value="" label="Any status" />
            {STATES.filter((state) => states.has(state) || state === filters.state).map((state) => (
              <FormSelectOption key={state} value={state} label={STATE_TITLES[state]} />
            ))}
          </FormSelect>
        </ToolbarItem>
        <ToolbarItem>
          <FormSelect
            aria-label="Reason"
            value={filters.reason}
            onChange={(_, reason) => onChange({ reason })}
          >
            <FormSelectOption value="" label="Any reason" />
            {why.map(([reason, count]) => (
              <FormSelectOption key={reason} value={reason} label={`${reason} (${count})`} />
            ))}
          </FormSelect>
        </ToolbarItem>
      </ToolbarContent>
    </Toolbar>
  );
}
