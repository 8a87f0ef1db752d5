import { Alert } from "@patternfly/react-core";
import { CheckCircleIcon, ExclamationCircleIcon } from "@patternfly/react-icons";
import { useEffect, useRef } from "react";
import { Link } from "react-router";
import { ApiError } from "../api/errors";
import type { RunScenarioResponse, Target } from "../api/types";
import { ErrorState } from "../ui/ErrorState";
import { Section } from "./Section";
import { clusters } from "./selection";
import type { Outcome } from "./useSubmit";
import { VirtualList } from "./VirtualList";

interface Props {
  readonly outcome: Outcome | undefined;
  readonly targets: ReadonlyMap<string, Target>;
}

/** What came of the check, or of a start that did not start: a line for each target. */
export function CheckResult({ outcome, targets }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!outcome) return;
    box.current?.scrollIntoView({ block: "center" });
    box.current?.focus({ preventScroll: true });
  }, [outcome]);
  if (!outcome) return null;
  const { isCheck, reply, error } = outcome;
  return (
    <div ref={box} tabIndex={-1} className="krkn-outcome">
      <Section title={isCheck ? "Checked" : "Not started"}>
        {error !== undefined && <Refusal error={error} />}
        {reply && <Lines reply={reply} isCheck={isCheck} targets={targets} />}
      </Section>
    </div>
  );
}

function Refusal({ error }: { readonly error: unknown }) {
  const isRepeated = error instanceof ApiError && error.status === 409;
  const isUnknown = error instanceof ApiError && (error.status === 0 || error.status >= 500);
  return (
    <>
      <ErrorState title="The service refuses this run" error={error} />
      {isRepeated && (
        <p>
          An earlier attempt of this form may have started a run, before the form was changed. See
          the <Link to="/runs">runs</Link>; for another one, <Link to="/new">begin anew</Link>.
        </p>
      )}
      {isUnknown && <p>To send it again starts nothing twice: this form has one request id.</p>}
    </>
  );
}

interface LinesProps {
  readonly reply: RunScenarioResponse;
  readonly isCheck: boolean;
  readonly targets: ReadonlyMap<string, Target>;
}

function Lines({ reply, isCheck, targets }: LinesProps) {
  const refused = reply.failedJobs;
  const able = `${clusters(reply.successfulJobs)} would run`;
  const title = !isCheck
    ? "No cluster could start"
    : refused > 0
      ? `${able}, ${refused} refused`
      : able;
  // Those that are refused first.
  const lines = [...reply.jobs].sort((one, other) => Number(one.success) - Number(other.success));
  return (
    <>
      <Alert
        component="p"
        isInline
        isLiveRegion
        variant={refused === 0 ? "success" : reply.successfulJobs > 0 ? "warning" : "danger"}
        title={title}
      >
        {reply.message}
      </Alert>
      <VirtualList
        label="Outcome by cluster"
        entries={lines}
        entryKey={({ targetUUID }) => targetUUID}
        row={({ targetUUID, success, error }) => (
          <div className="krkn-target-row">
            {success ? (
              <CheckCircleIcon className="krkn-good-icon" aria-label="would run" role="img" />
            ) : (
              <ExclamationCircleIcon className="krkn-bad-icon" aria-label="refused" role="img" />
            )}
            <span className="krkn-wrap">{targets.get(targetUUID)?.clusterName ?? targetUUID}</span>
            {!success && <span className="krkn-wrong krkn-wrap">{error}</span>}
          </div>
        )}
      />
    </>
  );
}
