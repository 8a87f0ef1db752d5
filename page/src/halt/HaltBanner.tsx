import { Alert } from "@patternfly/react-core";
import { useState } from "react";
import { AllowedButton } from "../access/AllowedButton";
import type { Halt } from "../api/types";
import { Confirm } from "../ui/Confirm";
import { Facts } from "../ui/Facts";
import { Ago } from "../ui/Time";
import { useHalting, useHalts } from "./halts";
import "./halt.css";

/** Says on every screen that something is halted, by whom and why, and lets it go on. */
export function HaltBanner() {
  const { data: halts = [] } = useHalts();
  const [resumed, setResumed] = useState<Halt>();
  return (
    // The region is there before the first halt, so that a screen reader announces it.
    <div className="krkn-halts" role="status" aria-label="Halts">
      {halts.length > 0 && (
        <Alert variant="danger" isInline component="p" title={titleOf(halts)}>
          <ul>
            {halts.map((halt) => (
              <Line key={halt.name} halt={halt} onResume={() => setResumed(halt)} />
            ))}
          </ul>
        </Alert>
      )}
      {resumed && (
        <Resume halt={resumed} others={halts.length - 1} onClose={() => setResumed(undefined)} />
      )}
    </div>
  );
}

function titleOf(halts: readonly Halt[]): string {
  const isAll = halts.some((halt) => scopeOf(halt) === "");
  const where = isAll ? "All chaos is halted" : "Chaos is halted on some clusters";
  return halts.length > 1 ? `${where}: ${halts.length} halts` : where;
}

/** The selector that holds; empty for all clusters. One that cannot be read selects all. */
function scopeOf({ targetSelector, message }: Halt): string {
  return message ? "" : targetSelector;
}

function Line({ halt, onResume }: { readonly halt: Halt; readonly onResume: () => void }) {
  const scope = scopeOf(halt);
  return (
    <li className="krkn-halt">
      <span className="krkn-wrap">
        <strong>{halt.reason || "No reason is given"}</strong>
        {halt.by && <> · by {halt.by}</>} · <Ago time={halt.since} /> ·{" "}
        {scope ? <code>{scope}</code> : "all clusters"}
        {halt.message && <> · {halt.message}</>}
      </span>
      <AllowedButton
        verb="delete"
        resource="krknchaoshalts"
        variant="secondary"
        size="sm"
        onClick={onResume}
      >
        Resume…<span className="pf-v6-screen-reader"> {halt.reason}</span>
      </AllowedButton>
    </li>
  );
}

interface ResumeProps {
  readonly halt: Halt;
  readonly others: number;
  readonly onClose: () => void;
}

function Resume({ halt, others, onClose }: ResumeProps) {
  const { resume } = useHalting();
  return (
    <Confirm
      title="Let chaos start again?"
      action="Resume"
      isDanger
      onConfirm={() => resume(halt.name)}
      onClose={onClose}
    >
      <Facts
        facts={{
          "Halted because": halt.reason,
          By: halt.by,
          Clusters: scopeOf(halt) || "all",
        }}
      />
      <p className="krkn-below">
        Runs can be started again there. What was stopped does not go on.
        {others > 0 && ` ${others} other ${others === 1 ? "halt goes" : "halts go"} on holding.`}
      </p>
    </Confirm>
  );
}
