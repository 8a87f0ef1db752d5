import {
  Button,
  Dropdown,
  DropdownItem,
  DropdownList,
  Flex,
  MenuToggle,
} from "@patternfly/react-core";
import { EllipsisVIcon } from "@patternfly/react-icons";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useAccess } from "../access/useAccess";
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

interface Action {
  readonly asks: Exclude<Asked, undefined>;
  readonly title: string;
  readonly isDanger?: boolean;
}

/** What may be done with a run now, each behind a question. */
export function RunActions({ run, isMenu = false }: Props) {
  const [asked, setAsked] = useState<Asked>();
  const navigate = useNavigate();
  const actions = useActions(run);
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
            <Button
              key={asks}
              variant={isDanger ? "danger" : "secondary"}
              onClick={() => ask(asks)}
            >
              {title}
            </Button>
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

function useActions(run: Run): Action[] {
  const { may } = useAccess();
  const { failed, refused } = countsOf(run.counts);
  const actions: Action[] = [];
  if (may("create", "krknchaosjobs")) {
    if (failed + refused > 0) actions.push({ asks: "rerunFailed", title: "Rerun failed" });
    if (isFinal(run.status)) actions.push({ asks: "rerun", title: "Rerun all" });
    actions.push({ asks: "change", title: "Rerun with changes" });
  }
  if (!isFinal(run.status) && run.status !== "Stopping" && may("update", "krknchaosruns")) {
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
  if (actions.length === 0) return null;
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
        {actions.map(({ asks, title, isDanger }) => (
          <DropdownItem key={asks} isDanger={isDanger} onClick={() => onAsk(asks)}>
            {title}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  );
}
