import { Form, TextInput } from "@patternfly/react-core";
import { useState } from "react";
import type { Target } from "../api/types";
import { Field } from "../newrun/Field";
import { Confirm } from "../ui/Confirm";
import { deleteTarget } from "./targetCalls";

interface Props {
  readonly target: Target;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** Asks for the cluster's name before it deletes the target. */
export function DeleteDialog({ target, onDone, onClose }: Props) {
  const [typed, setTyped] = useState("");
  const { clusterName } = target;
  return (
    <Confirm
      title="Delete this target?"
      action="Delete the target"
      isDanger
      isDisabled={typed.trim() !== clusterName}
      onConfirm={async () => {
        await deleteTarget(target.uuid);
        onDone();
      }}
      onClose={onClose}
    >
      <p>
        The service forgets the cluster and its credential. The cluster itself is not touched; jobs
        that run on it go on.
      </p>
      <Form onSubmit={(event) => event.preventDefault()} className="krkn-dialog-form">
        <Field id="delete-name" label={`Type ${clusterName} to delete it`}>
          <TextInput
            id="delete-name"
            value={typed}
            autoComplete="off"
            autoFocus
            onChange={(_, text) => setTyped(text)}
          />
        </Field>
      </Form>
    </Confirm>
  );
}
