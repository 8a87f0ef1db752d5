import { Alert } from "@patternfly/react-core";
import { useState } from "react";
import type { Target } from "../api/types";
import type { RunRequest } from "./draft";
import { AllowedButton } from "../access/AllowedButton";
import { Confirm } from "../ui/Confirm";
import { Facts, names, pairs } from "../ui/Facts";
import { useNewRun } from "./form";
import { isNeeded, wrong } from "./parameters";
import { clusters, summary, summaryText } from "./selection";
import type { Submit } from "./useSubmit";

interface Props {
  readonly request: RunRequest;
  readonly submit: Submit;
  readonly targets: ReadonlyMap<string, Target>;
  readonly jobs: ReadonlyMap<string, number>;
}

const CREATE = { verb: "create", resource: "krknchaosjobs" };

/** The bar below the form: what would run, Check, and Run behind a question. */
export function Actions({ request, submit, targets, jobs }: Props) {
  const { draft } = useNewRun();
  const [isAsked, setAsked] = useState(false);
  const lacking = useLacking();
  const counts = summary(draft.targets, targets, jobs);
  return (
    <div className="krkn-bar">
      <span className="krkn-bar-text krkn-wrap">
        <strong>{draft.scenarioName || "No scenario"}</strong> · {summaryText(counts)}
        {lacking && <span className="krkn-faint"> · {lacking}</span>}
      </span>
      <span className="krkn-bar-buttons">
        <AllowedButton
          {...CREATE}
          variant="secondary"
          isLoading={submit.isBusy}
          isAriaDisabled={submit.isBusy || lacking !== ""}
          onClick={() => void submit.check()}
        >
          Check
        </AllowedButton>
        <AllowedButton
          {...CREATE}
          isAriaDisabled={submit.isBusy || lacking !== ""}
          onClick={() => setAsked(true)}
        >
          Run…
        </AllowedButton>
      </span>
      {isAsked && (
        <Confirm
          title={`Run ${draft.scenarioName} on ${clusters(counts.selected)}?`}
          action={`Run on ${clusters(counts.selected)}`}
          isDanger
          onConfirm={submit.start}
          onClose={() => setAsked(false)}
        >
          <Question request={request} targets={targets} />
          {counts.busy + counts.notReady + counts.gone > 0 && (
            <Alert isInline isPlain variant="warning" component="p" title={summaryText(counts)} />
          )}
        </Confirm>
      )}
    </div>
  );
}

/** What the form lacks before anything can be sent, as some words; "" for nothing. */
function useLacking(): string {
  const { draft, own, globals } = useNewRun();
  if (draft.scenarioName.trim() === "") return "choose a scenario";
  if (draft.isFree && draft.scenarioImage.trim() === "") return "name an image";
  const empty = own.find(
    (field) =>
      isNeeded(field) && !draft.values[field.variable] && !draft.parameterFiles[field.variable],
  );
  if (empty) return `fill in ${empty.short_description || empty.name}`;
  const bad = [...own, ...globals].find((field) => {
    const value = draft.values[field.variable];
    return value !== undefined && value !== "" && wrong(field, value) !== "";
  });
  if (bad) return `correct ${bad.short_description || bad.name}`;
  const secret = draft.variables.find(({ name, value, isSecret }) => name && isSecret && !value);
  if (secret) return `fill in ${secret.name}`;
  return draft.targets.size === 0 ? "select clusters" : "";
}

const NAMED = 8;

function Question({ request, targets }: Pick<Props, "request" | "targets">) {
  const uuids = request.targetUUIDs ?? [];
  const on = uuids.slice(0, NAMED).map((uuid) => targets.get(uuid)?.clusterName ?? uuid);
  if (uuids.length > NAMED) on.push(`and ${uuids.length - NAMED} more`);
  return (
    <Facts
      facts={{
        Clusters: names(on),
        Image: request.scenarioImage,
        Variables: pairs(request.environment ?? {}),
        "Secret variables": names(Object.keys(request.secretEnvironment ?? {})),
        "At once": request.maxParallel ?? "all",
        "Stops after failures":
          request.maxFailures === undefined ? "never" : `more than ${request.maxFailures}`,
      }}
    />
  );
}
