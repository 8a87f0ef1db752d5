import { Tab, Tabs, TabTitleText } from "@patternfly/react-core";
import { useState } from "react";
import { useAccess } from "../access/useAccess";
import type { Target } from "../api/types";
import type { RunRequest } from "./draft";
import { Code } from "../ui/Code";
import { commandLine, curl, json, missing } from "./elsewhere";

interface Props {
  readonly request: RunRequest;
  readonly targets: ReadonlyMap<string, Target>;
}

/** The run as command line, JSON and curl, without its secrets. */
export function Elsewhere({ request, targets }: Props) {
  const [shown, setShown] = useState<string | number>("CLI");
  const { user } = useAccess();
  const at = { origin: window.location.origin, isAuthenticated: user !== "" };
  const names = (request.targetUUIDs ?? []).map((uuid) => targets.get(uuid)?.clusterName ?? uuid);
  const texts = {
    CLI: () => commandLine(request, names, at),
    JSON: () => json(request),
    curl: () => curl(request, at),
  };
  return (
    <>
      <Tabs
        activeKey={shown}
        aria-label="The same elsewhere"
        mountOnEnter
        unmountOnExit
        onSelect={(_, key) => setShown(key)}
      >
        {Object.entries(texts).map(([title, text]) => (
          <Tab key={title} eventKey={title} title={<TabTitleText>{title}</TabTitleText>}>
            <div className="krkn-elsewhere">
              <Code text={title === shown ? text() : ""} label={title} />
            </div>
          </Tab>
        ))}
      </Tabs>
      <p className="krkn-faint krkn-wrap">{missing(request)}</p>
    </>
  );
}
