import { Dropdown, DropdownItem, DropdownList, Flex, MenuToggle } from "@patternfly/react-core";
import { EllipsisVIcon } from "@patternfly/react-icons";
import { useState } from "react";
import { useNavigate } from "react-router";
import { AllowedButton } from "../access/AllowedButton";
import { useAccess, whyNot } from "../access/useAccess";
import { isFinal } from "../api/runs";
import type { Run } from "../api/types";
import { countsOf } from "../ui/counts";
import { RerunDialog } from "./RerunDialog";
import { StopRunDialog } from "./StopRunDialog";

interface Props {
  readonly run: Run;
  /** As a menu, for rows, and not as buttons. */
  readonly isMenu?: boolean;
}

type Asked = "stop" | "rerun" | "rerunFailed" | "change" | undefined;

const CREATE = { verb: "create", resource: "krknchaosjobs" };
const RIGHTS = {
  rerun: CREATE,
  rerunFailed: CREATE,
  change: CREATE,
  stop: { verb: "update", resource: "krknchaosruns" },
};

interface Action {
  readonly asks: Exclude<Asked, undefined>;
  readonly title: string;
  readonly isDanger?: boolean;
}

/** What may be done with a run now, each behind a question. */
export function RunActions({ run, isMenu = false }: Props) {
  const [asked, setAsked] = useState<Asked>();
  const navigate = useNavigate();
  const actions = actionsOf(run);
  const ask = (next: Asked) => {
    if (next === "change") void navigate(`/new?from=${run.runId}`);
    else setAsked(next);
  };
  const close = () => setAsked(undefined);
  return (
    <>
      {isMenu ? (
        <Menu run={run} actions={actions} onAsk={ask} />
      ) : (
        <Flex gap={{ default: "gapSm" }}>
          {actions.map(({ asks, title, isDanger }) => (
            <AllowedButton
              key={asks}
              {...RIGHTS[asks]}
              variant={isDanger ? "danger" : "secondary"}
              onClick={() => ask(asks)}
            >
              {title}
            </AllowedButton>
          ))}
        </Flex>
      )}
      {asked === "stop" && <StopRunDialog run={run} onClose={close} />}
      {(asked === "rerun" || asked === "rerunFailed") && (
        <RerunDialog run={run} onlyFailed={asked === "rerunFailed"} onClose={close} />
      )}
    </>
  );
}

function actionsOf(run: Run): Action[] {
  const { failed, refused } = countsOf(run.counts);
  const actions: Action[] = [];
  if (failed + refused > 0) actions.push({ asks: "rerunFailed", title: "Rerun failed" });
  if (isFinal(run.status)) actions.push({ asks: "rerun", title: "Rerun all" });
  actions.push({ asks: "change", title: "Rerun with changes" });
  if (!isFinal(run.status) && run.status !== "Stopping") {
    actions.push({ asks: "stop", title: "Stop run", isDanger: true });
  }
  return actions;
}

interface MenuProps {
  readonly run: Run;
  readonly actions: readonly Action[];
  readonly onAsk: (asked: Asked) => void;
}

function Menu({ run, actions, onAsk }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const { may } = useAccess();
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: "right", appendTo: () => document.body }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          size="sm"
          isExpanded={isOpen}
          aria-label={`Actions of the run of ${run.scenarioName}`}
          icon={<EllipsisVIcon />}
          onClick={() => setOpen(!isOpen)}
        />
      )}
    >
      <DropdownList>
        {actions.map(({ asks, title, isDanger = false }) => {
          const { verb, resource } = RIGHTS[asks];
          const refusal = may(verb, resource)
            ? {}
            : { isAriaDisabled: true, tooltipProps: { content: whyNot(verb, resource) } };
          return (
            <DropdownItem key={asks} isDanger={isDanger} onClick={() => onAsk(asks)} {...refusal}>
              {title}
            </DropdownItem>
          );
        })}
      </DropdownList>
    </Dropdown>
  );
}
