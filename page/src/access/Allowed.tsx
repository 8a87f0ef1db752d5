import { Tooltip } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { useAccess } from "./useAccess";

interface Props {
  /** The right, as in a Kubernetes role: create krknchaosjobs. */
  readonly verb: string;
  readonly resource: string;
  /**
   * The control, told whether the caller may. It disables itself by aria-disabled, so that the
   * keyboard reaches it and the tooltip that says which right is missing.
   */
  readonly children: (isAllowed: boolean) => ReactNode;
}

/** A control for those who have a right; for others it says which one is missing. */
export function Allowed({ verb, resource, children }: Props) {
  const { may } = useAccess();
  if (may(verb, resource)) return children(true);
  return (
    <Tooltip content={`You may not: the right to ${verb} ${resource} is missing.`}>
      <span>{children(false)}</span>
    </Tooltip>
  );
}
