import { Button, Checkbox, SearchInput, TextInput, Tooltip } from "@patternfly/react-core";
import { ExclamationTriangleIcon } from "@patternfly/react-icons";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import { errorText } from "../api/errors";
import type { Snapshot } from "../api/collection";
import type { Target } from "../api/types";
import { ErrorState } from "../ui/ErrorState";
import { described, Field } from "./Field";
import { useNewRun } from "./form";
import { canRun, found, summary, summaryText } from "./selection";
import { useSelector } from "./useTargetStates";
import { VirtualList } from "./VirtualList";

interface Props {
  readonly targets: Snapshot<Target>;
  readonly jobs: ReadonlyMap<string, number>;
}

/** Which clusters to run on: found by labels and by name, and ticked. */
export function TargetsSection({ targets, jobs }: Props) {
  const { draft, violations, update } = useNewRun();
  const [labels, setLabels] = useState("");
  const [search, setSearch] = useState("");
  const { selected, error } = useSelector(labels);
  const shown = useMemo(
    () => found(targets.entries.values(), search, selected),
    [targets.entries, search, selected],
  );
  const choose = (next: ReadonlySet<string>) => update({ targets: next }, "targetUUIDs");
  if (targets.isSynced && targets.entries.size === 0) return <NoTargets />;
  return (
    <>
      {targets.error && <ErrorState title="Targets are not up to date" error={targets.error} />}
      <div className="krkn-grid">
        <Field
          id="target-labels"
          label="Labels"
          hint={
            selected ? `${selected.size} have these labels` : "As kubectl -l: env=prod,tier!=test"
          }
          error={error ? errorText(error) : undefined}
        >
          <TextInput
            id="target-labels"
            value={labels}
            autoComplete="off"
            placeholder="env=prod"
            {...described("target-labels", error ? errorText(error) : undefined)}
            onChange={(_, text) => setLabels(text)}
          />
        </Field>
        <Field id="target-name" label="Name" hint="A part of it, or a pattern: eu-*">
          <SearchInput
            value={search}
            placeholder="eu-*"
            aria-label="Name of the target"
            searchInputId="target-name"
            onChange={(_, text) => setSearch(text)}
            onClear={() => setSearch("")}
          />
        </Field>
      </div>
      <Choices shown={shown} targets={targets.entries} jobs={jobs} onChoose={choose} />
      <VirtualList
        label="Targets"
        entries={shown}
        entryKey={(target) => target.uuid}
        row={(target) => (
          <Row
            target={target}
            jobs={jobs.get(target.uuid) ?? 0}
            isChosen={draft.targets.has(target.uuid)}
            onChange={(isChosen) => {
              const next = new Set(draft.targets);
              if (isChosen) next.add(target.uuid);
              else next.delete(target.uuid);
              choose(next);
            }}
          />
        )}
      />
      {violations.has("targetUUIDs") && (
        <p className="krkn-wrong krkn-wrap">{violations.get("targetUUIDs")}</p>
      )}
    </>
  );
}

interface ChoicesProps {
  readonly shown: readonly Target[];
  readonly targets: ReadonlyMap<string, Target>;
  readonly jobs: ReadonlyMap<string, number>;
  readonly onChoose: (targets: ReadonlySet<string>) => void;
}

/** How many are selected, and buttons that select many at once. */
function Choices({ shown, targets, jobs, onChoose }: ChoicesProps) {
  const { draft } = useNewRun();
  const counts = summary(draft.targets, targets, jobs);
  const without = (isLeft: (uuid: string) => boolean) =>
    onChoose(new Set([...draft.targets].filter((uuid) => !isLeft(uuid))));
  const able = shown.filter(canRun).map(({ uuid }) => uuid);
  return (
    <div className="krkn-choices">
      <strong role="status">{summaryText(counts)}</strong>
      <Button
        variant="link"
        isInline
        isDisabled={able.every((uuid) => draft.targets.has(uuid))}
        onClick={() => onChoose(new Set([...draft.targets, ...able]))}
      >
        Select all {able.length} shown
      </Button>
      {counts.selected > 0 && (
        <Button variant="link" isInline onClick={() => onChoose(new Set())}>
          Select none
        </Button>
      )}
      {counts.notReady > 0 && (
        <Button
          variant="link"
          isInline
          onClick={() => without((uuid) => targets.get(uuid)?.ready === false)}
        >
          Leave out {counts.notReady} not ready
        </Button>
      )}
      {counts.busy > 0 && (
        <Button variant="link" isInline onClick={() => without((uuid) => jobs.has(uuid))}>
          Leave out {counts.busy} busy
        </Button>
      )}
      {counts.gone > 0 && (
        <Button variant="link" isInline onClick={() => without((uuid) => !targets.has(uuid))}>
          Leave out {counts.gone} not registered
        </Button>
      )}
    </div>
  );
}

interface RowProps {
  readonly target: Target;
  readonly jobs: number;
  readonly isChosen: boolean;
  readonly onChange: (isChosen: boolean) => void;
}

function Row({ target, jobs, isChosen, onChange }: RowProps) {
  const labels = Object.entries(target.labels).map(([key, value]) => `${key}=${value}`);
  const box = (
    <Checkbox
      id={`target-${target.uuid}`}
      label={<span className={target.ready ? "" : "krkn-faint"}>{target.clusterName}</span>}
      isChecked={isChosen}
      isDisabled={!canRun(target) && !isChosen}
      onChange={(_, next) => onChange(next)}
    />
  );
  return (
    <div className="krkn-target-row">
      {box}
      {!target.ready && (
        <Tooltip content={target.message || "It was not checked yet."}>
          <span className="krkn-mark krkn-mark-bad" tabIndex={0}>
            <ExclamationTriangleIcon />
            {canRun(target) ? "not ready" : "cannot be run"}: {target.reason || "not checked yet"}
          </span>
        </Tooltip>
      )}
      {jobs > 0 && (
        <span className="krkn-mark">
          busy: {jobs} {jobs === 1 ? "job" : "jobs"}
        </span>
      )}
      <span className="krkn-faint krkn-row-labels">{labels.join(" ")}</span>
    </div>
  );
}

function NoTargets() {
  return (
    <p>
      No cluster is registered yet. <Link to="/targets?register=true">Register one</Link>
    </p>
  );
}
