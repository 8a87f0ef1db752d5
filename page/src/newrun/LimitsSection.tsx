import {
  Checkbox,
  FormSelect,
  FormSelectOption,
  TextArea,
  TextInput,
} from "@patternfly/react-core";
import type { ReactNode } from "react";
import type { Draft } from "./draft";
import { described, Field } from "./Field";
import { useNewRun } from "./form";

type Text = {
  [Name in keyof Draft]: Draft[Name] extends string ? Name : never;
}[keyof Draft];

/** How much at once, how long, and when to stop. */
export function LimitsSection() {
  const { draft, violations, update } = useNewRun();
  return (
    <>
      <div className="krkn-grid">
        <TextField name="maxParallel" label="At once" placeholder="all">
          How many clusters at the same time. The next starts when one has ended.
        </TextField>
        <TextField name="maxFailures" label="Failures" placeholder="any number">
          With more than so many, no further job starts. 0: the first failure ends it.
        </TextField>
        <TextField name="timeoutSeconds" label="Time limit in seconds" placeholder="3600">
          Of each scenario.
        </TextField>
        <TextField
          name="ttlSecondsAfterFinished"
          label="Keep for seconds"
          placeholder="the service's default"
        >
          How long finished jobs stay. 604800 is a week.
        </TextField>
        <Field
          id="onBusy"
          label="On a busy cluster"
          hint="Which runs as many jobs as it may."
          error={violations.get("onBusy")}
        >
          <FormSelect
            id="onBusy"
            value={draft.onBusy}
            aria-describedby="onBusy-hint"
            onChange={(_, onBusy) => update({ onBusy }, "onBusy")}
          >
            <FormSelectOption value="Wait" label="Wait for a turn" />
            <FormSelectOption value="Refuse" label="Fail at once" />
          </FormSelect>
        </Field>
        <TextField name="queueSeconds" label="Wait at most seconds" placeholder="86400">
          For a turn, or for the end of a blackout.
        </TextField>
        <TextField name="labels" label="Labels of the jobs" placeholder="wave=1, ticket=OPS-7">
          To find them again.
        </TextField>
        <Field
          id="abortOn"
          label="Stop on alerts"
          hint='One in each line: {alertname="X",env=~"p.*"}. Alertmanager must send its alerts to this service.'
          error={violations.get("abortOn")}
        >
          <TextArea
            id="abortOn"
            rows={2}
            resizeOrientation="vertical"
            value={draft.abortOn}
            {...described("abortOn", violations.get("abortOn"))}
            onChange={(_, abortOn) => update({ abortOn }, "abortOn")}
          />
        </Field>
      </div>
      <Checkbox
        id="abortRunning"
        label="After too many failures, stop the running jobs too"
        isDisabled={draft.maxFailures.trim() === ""}
        isChecked={draft.maxFailures.trim() !== "" && draft.abortRunning}
        onChange={(_, abortRunning) => update({ abortRunning }, "abortRunning")}
      />
      <Checkbox
        id="requireReady"
        label="Refuse clusters that are not ready"
        isChecked={draft.requireReady}
        onChange={(_, requireReady) => update({ requireReady })}
      />
    </>
  );
}

/** The log-in to the image's registry. */
export function RegistryFields() {
  return (
    <div className="krkn-grid">
      <TextField name="registryUrl" label="Registry" placeholder="quay.io">
        To log in to for the image.
      </TextField>
      <TextField name="username" label="User" />
      <TextField name="password" label="Password or token" isSecret>
        Secret: neither shown nor kept on this page.
      </TextField>
    </div>
  );
}

interface TextFieldProps {
  readonly name: Text;
  readonly label: string;
  readonly placeholder?: string;
  readonly isSecret?: boolean;
  readonly children?: ReactNode;
}

function TextField({ name, label, placeholder = "", isSecret, children }: TextFieldProps) {
  const { draft, violations, update } = useNewRun();
  const error = violations.get(name);
  return (
    <Field id={name} label={label} hint={children} error={error}>
      <TextInput
        id={name}
        value={draft[name]}
        placeholder={placeholder}
        type={isSecret ? "password" : "text"}
        autoComplete={isSecret ? "new-password" : "off"}
        {...described(name, error)}
        onChange={(_, value) => update({ [name]: value }, name)}
      />
    </Field>
  );
}
