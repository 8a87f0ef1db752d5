import { Switch, TextInput, Toolbar, ToolbarContent, ToolbarItem } from "@patternfly/react-core";
import { useDeferredValue, useState } from "react";
import { useSearchParams } from "react-router";
import { useAccess } from "../access/useAccess";
import type { Job, Run } from "../api/types";
import { failedFirst } from "../run/jobs";
import { Status } from "../ui/Status";
import { JobPicker } from "./JobPicker";
import { LogPane } from "./LogPane";

/** A browser has six connections to a service: four for logs, one for the jobs, one for calls. */
const MOST_PANES = 4;

interface Props {
  readonly run: Run;
  readonly jobs: ReadonlyMap<string, Job>;
}

/** Logs of a run: of some of its jobs side by side, or of all of them in one. */
export default function LogsTab({ run, jobs }: Props) {
  const [parameters, setParameters] = useSearchParams();
  const [find, setFind] = useState("");
  const [isWrapped, setWrapped] = useState(true);
  const [hasTimes, setTimes] = useState(false);
  const { may } = useAccess();
  const sought = useDeferredValue(find.toLowerCase());
  const chosen = chosenOf(parameters, jobs);
  const choose = (ids: readonly string[]) =>
    setParameters(new URLSearchParams(ids.map((id) => ["job", id])), { replace: true });
  if (!may("get", "krknchaosjobs/log")) {
    return <p className="krkn-faint">You may not read logs.</p>;
  }
  const view = { find: sought, isWrapped, hasTimes };
  return (
    <>
      <Toolbar className="krkn-filters">
        <ToolbarContent>
          <ToolbarItem>
            <JobPicker
              jobs={failedFirst(jobs.values())}
              chosen={chosen}
              most={MOST_PANES}
              onChoose={choose}
            />
          </ToolbarItem>
          <ToolbarItem className="krkn-grow">
            <TextInput
              type="search"
              aria-label="Find in the logs"
              placeholder="Find"
              value={find}
              onChange={(_, text) => setFind(text)}
            />
          </ToolbarItem>
          <ToolbarItem alignSelf="center">
            <Switch label="Wrap" isChecked={isWrapped} onChange={(_, is) => setWrapped(is)} />
          </ToolbarItem>
          {chosen.length > 0 && (
            <ToolbarItem alignSelf="center">
              <Switch label="Times" isChecked={hasTimes} onChange={(_, is) => setTimes(is)} />
            </ToolbarItem>
          )}
        </ToolbarContent>
      </Toolbar>
      <div className="krkn-panes">
        {chosen.length === 0 ? (
          <LogPane source={{ runId: run.runId }} title="All jobs" view={view} />
        ) : (
          chosen.map((jobId) => {
            const job = jobs.get(jobId);
            return (
              <LogPane
                key={jobId}
                source={{ jobId }}
                title={job?.clusterName ?? jobId}
                note={job && <Status status={job.status} />}
                view={view}
                onClose={
                  chosen.length > 1 || jobs.size > 1
                    ? () => choose(chosen.filter((each) => each !== jobId))
                    : undefined
                }
              />
            );
          })
        )}
      </div>
    </>
  );
}

/** The jobs that the address names; the only one of a run of one. */
function chosenOf(parameters: URLSearchParams, jobs: ReadonlyMap<string, Job>): string[] {
  const named = [...new Set(parameters.getAll("job"))].slice(0, MOST_PANES);
  return named.length === 0 && jobs.size === 1 ? [...jobs.keys()] : named;
}
