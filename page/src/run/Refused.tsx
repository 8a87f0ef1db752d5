import { Alert } from "@patternfly/react-core";
import type { Run } from "../api/types";

/** The targets that got no job, and why. */
export function Refused({ run: { refused } }: { readonly run: Run }) {
  if (refused.length === 0) return null;
  const title = `${refused.length} ${refused.length === 1 ? "target" : "targets"} got no job`;
  return (
    <Alert
      variant="warning"
      isInline
      isExpandable
      component="p"
      title={title}
      className="krkn-above"
    >
      <ul>
        {refused.map(({ targetUUID, error }) => (
          <li key={targetUUID} className="krkn-wrap">
            <code>{targetUUID}</code>: {error}
          </li>
        ))}
      </ul>
    </Alert>
  );
}
