import { ExpandableSection } from "@patternfly/react-core";
import { useAccess } from "../access/useAccess";
import type { Job, Run } from "../api/types";
import { Code, CodeLine } from "../ui/Code";
import { commandsOf } from "./commands";

/** The same by command line, curl and kubectl, to copy, and as JSON. */
export function Commands({ of }: { readonly of: Run | Job }) {
  const { user, namespace } = useAccess();
  const lines = commandsOf(of, window.location.origin, namespace, user !== "");
  return (
    <section className="krkn-commands" aria-label="Commands">
      {Object.entries(lines).map(([title, line]) => (
        <CodeLine key={title} label={title} text={line} />
      ))}
      <ExpandableSection toggleText="JSON">
        <Code text={JSON.stringify(of, null, 2)} label="JSON" />
      </ExpandableSection>
    </section>
  );
}
