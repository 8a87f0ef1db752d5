import { CheckCircleIcon, ExclamationTriangleIcon, PendingIcon } from "@patternfly/react-icons";
import type { Target } from "../api/types";
import { Tag } from "../ui/Tag";

/** Whether a target is ready, by icon, colour and word, and why it is not. */
export function Readiness({ target }: { readonly target: Target }) {
  if (target.ready) {
    return (
      <Tag colour="success" icon={<CheckCircleIcon />}>
        Ready
      </Tag>
    );
  }
  if (!target.lastChecked && !target.reason) {
    return <Tag icon={<PendingIcon />}>Not checked yet</Tag>;
  }
  return (
    <Tag colour="warning" icon={<ExclamationTriangleIcon />} title={target.message}>
      {target.reason || "Not ready"}
    </Tag>
  );
}
