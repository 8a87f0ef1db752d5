import { Button } from "@patternfly/react-core";
import { HandPaperIcon } from "@patternfly/react-icons";
import { useRef, useState } from "react";
import { Allowed } from "../access/Allowed";
import { useSession } from "../api/live";
import { HaltDialog } from "./HaltDialog";
import "./halt.css";

/** Always in reach: stops all that runs, after a reason is given. */
export function HaltButton() {
  const { isRefused } = useSession();
  const [isAsked, setAsked] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  if (isRefused) return null;
  return (
    <>
      <Allowed verb="create" resource="krknchaoshalts">
        {(isAllowed) => (
          <Button
            ref={button}
            variant="danger"
            size="sm"
            className="krkn-halt-button"
            icon={<HandPaperIcon />}
            isAriaDisabled={!isAllowed}
            aria-haspopup="dialog"
            onClick={() => setAsked(true)}
          >
            Halt
          </Button>
        )}
      </Allowed>
      {isAsked && (
        <HaltDialog
          onClose={() => {
            setAsked(false);
            button.current?.focus();
          }}
        />
      )}
    </>
  );
}
