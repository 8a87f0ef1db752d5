import {
  Alert,
  Content,
  ExpandableSection,
  Form,
  FormGroup,
  TextInput,
} from "@patternfly/react-core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { rerunRun } from "../api/runs";
import type { Run, RunScenarioResponse } from "../api/types";
import { Confirm } from "../ui/Confirm";
import { countsOf } from "../ui/counts";
import { newId } from "../ui/ids";

interface Props {
  readonly run: Run;
  readonly onlyFailed: boolean;
  readonly onClose: () => void;
}

/** Asks whether to run what a run has run once more, and for what is secret in it. */
export function RerunDialog({ run, onlyFailed, onClose }: Props) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  // The same id for each attempt of this dialog: a repeated call starts nothing twice.
  const [requestId] = useState(newId);
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const [login, setLogin] = useState({ username: "", password: "" });
  const { total, failed, refused } = countsOf(run.counts);
  const clusters = onlyFailed ? failed + refused : total;
  const names = run.secretEnvironmentNames;
  return (
    <Confirm
      title={`Run ${run.scenarioName} again?`}
      action={`Run on ${clusters} ${clusters === 1 ? "cluster" : "clusters"}`}
      isDisabled={names.some((name) => !secrets[name]) || run.fileNames.length > 0}
      onClose={onClose}
      onConfirm={async () => {
        const secretEnvironment = names.length > 0 ? secrets : undefined;
        const body = { requestId, onlyFailed, secretEnvironment, ...filled(login) };
        const reply = await rerunRun(run.runId, body);
        if (!reply.runId) throw new Error(refusals(reply));
        await queries.invalidateQueries();
        await navigate(`/runs/${reply.runId}`);
      }}
    >
      <Content component="p">
        {onlyFailed
          ? "A new run on the targets where it failed or was refused, with the same inputs."
          : "A new run on all of its targets, with the same inputs."}
      </Content>
      {run.fileNames.length > 0 && (
        <Alert
          variant="info"
          isInline
          isPlain
          component="p"
          title="The run has files, which are not kept"
        >
          Give them again by command line:{" "}
          <code>
            krkn-grpc runs rerun {run.runId} {onlyFailed && "--failed "}--file …
          </code>
        </Alert>
      )}
      <Form onSubmit={(event) => event.preventDefault()} className="krkn-dialog-form">
        {names.map((name) => (
          <FormGroup key={name} label={name} fieldId={`secret-${name}`} isRequired>
            <TextInput
              id={`secret-${name}`}
              type="password"
              autoComplete="off"
              value={secrets[name] ?? ""}
              onChange={(_, value) => setSecrets({ ...secrets, [name]: value })}
            />
          </FormGroup>
        ))}
        <ExpandableSection toggleText="Log-in of the image's registry, if the run had one">
          <FormGroup label="User" fieldId="registry-user">
            <TextInput
              id="registry-user"
              autoComplete="off"
              value={login.username}
              onChange={(_, username) => setLogin({ ...login, username })}
            />
          </FormGroup>
          <FormGroup label="Password" fieldId="registry-password">
            <TextInput
              id="registry-password"
              type="password"
              autoComplete="off"
              value={login.password}
              onChange={(_, password) => setLogin({ ...login, password })}
            />
          </FormGroup>
        </ExpandableSection>
      </Form>
    </Confirm>
  );
}

function filled(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value));
}

function refusals({ jobs }: RunScenarioResponse): string {
  const reasons = new Set(jobs.map(({ error }) => error).filter(Boolean));
  return `no target could start: ${[...reasons].join("; ")}`;
}
