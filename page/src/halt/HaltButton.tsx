import { HandPaperIcon } from "@patternfly/react-icons";
import { useRef, useState } from "react";
import { AllowedButton } from "../access/AllowedButton";
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
      <AllowedButton
        verb="create"
        resource="krknchaoshalts"
        buttonRef={button}
        variant="danger"
        size="sm"
        className="krkn-halt-button"
        icon={<HandPaperIcon />}
        aria-haspopup="dialog"
        onClick={() => setAsked(true)}
      >
        Halt
      </AllowedButton>
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
