import { Label } from "@patternfly/react-core";
import { CheckCircleIcon, ExclamationTriangleIcon, PendingIcon } from "@patternfly/react-icons";
import type { Target } from "../api/types";

/** Whether a target is ready, by icon, colour and word, and why it is not. */
export function Readiness({ target }: { readonly target: Target }) {
  if (target.ready) {
    return (
      <Label isCompact variant="outline" status="success" icon={<CheckCircleIcon />}>
        Ready
      </Label>
    );
  }
  if (!target.lastChecked && !target.reason) {
    return (
      <Label isCompact variant="outline" color="grey" icon={<PendingIcon />}>
        Not checked yet
      </Label>
    );
  }
  return (
    <Label
      isCompact
      variant="outline"
      status="warning"
      icon={<ExclamationTriangleIcon />}
      title={target.message}
    >
      {target.reason || "Not ready"}
    </Label>
  );
}
