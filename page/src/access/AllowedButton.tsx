import { Button, Tooltip, type ButtonProps } from "@patternfly/react-core";
import { useRef, type RefObject } from "react";
import { useAccess, whyNot } from "./useAccess";

interface Props extends Omit<ButtonProps, "ref"> {
  /** The right, as in a Kubernetes role: create krknchaosjobs. */
  readonly verb: string;
  readonly resource: string;
  readonly buttonRef?: RefObject<HTMLButtonElement | null>;
}

/**
 * A button for those who have a right; for others it says which one is missing.
 *
 * It is disabled by aria-disabled then, so that the keyboard reaches it and the tooltip.
 */
export function AllowedButton({ verb, resource, buttonRef, isAriaDisabled, ...props }: Props) {
  const own = useRef<HTMLButtonElement>(null);
  const button = buttonRef ?? own;
  const { may } = useAccess();
  const isAllowed = may(verb, resource);
  return (
    <>
      <Button {...props} ref={button} isAriaDisabled={!isAllowed || isAriaDisabled === true} />
      {!isAllowed && <Tooltip triggerRef={button} content={whyNot(verb, resource)} />}
    </>
  );
}
