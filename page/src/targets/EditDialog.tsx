import { Form, TextInput } from "@patternfly/react-core";
import { useState } from "react";
import type { Target } from "../api/types";
import { pairs } from "../newrun/draft";
import { Field } from "../newrun/Field";
import { Confirm } from "../ui/Confirm";
import { labelChanges, labelsText } from "./filters";
import { patchTarget } from "./targetCalls";

interface Props {
  readonly target: Target;
  readonly onClose: () => void;
}

/** A target's name, labels and how much may run on it; its credential stays as it is. */
export function EditDialog({ target, onClose }: Props) {
  const [name, setName] = useState(target.clusterName);
  const [labels, setLabels] = useState(labelsText(target.labels));
  const [atOnce, setAtOnce] = useState(String(target.maxConcurrentJobs ?? ""));
  const save = async () => {
    await patchTarget(target.uuid, {
      ...labelChanges(target.labels, pairs(labels)),
      ...(name.trim() === target.clusterName ? {} : { clusterName: name.trim() }),
      ...(atOnce.trim() === "" ? {} : { maxConcurrentJobs: Number(atOnce) }),
    });
  };
  return (
    <Confirm title={`Edit ${target.clusterName}`} action="Save" onConfirm={save} onClose={onClose}>
      <Form onSubmit={(event) => event.preventDefault()}>
        <Field id="edit-name" label="Name" isRequired>
          <TextInput id="edit-name" value={name} onChange={(_, text) => setName(text)} />
        </Field>
        <Field id="edit-labels" label="Labels" hint="env=prod, tier=web">
          <TextInput id="edit-labels" value={labels} onChange={(_, text) => setLabels(text)} />
        </Field>
        <Field id="edit-jobs" label="Jobs at once" hint="0: any number. Empty: it stays as it is.">
          <TextInput id="edit-jobs" value={atOnce} onChange={(_, text) => setAtOnce(text)} />
        </Field>
      </Form>
    </Confirm>
  );
}
