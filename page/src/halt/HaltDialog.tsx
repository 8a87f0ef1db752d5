import {
  Button,
  Content,
  Form,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from "@patternfly/react-core";
import { useState } from "react";
import { ApiError } from "../api/errors";
import { described, Field } from "../newrun/Field";
import { ErrorState } from "../ui/ErrorState";
import { useHalting } from "./halts";

const FORM = "halt-form";

/** Asks why, and halts: the reason has the focus, so that Enter after it is enough. */
export function HaltDialog({ onClose }: { readonly onClose: () => void }) {
  const { halt } = useHalting();
  const [reason, setReason] = useState("");
  const [selector, setSelector] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async () => {
    setBusy(true);
    try {
      await halt(reason.trim(), selector.trim());
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const wrong = (name: string) =>
    error instanceof ApiError
      ? error.fields.find(({ field }) => field === name)?.description
      : undefined;
  const isElsewhere = error !== undefined && !wrong("reason") && !wrong("targetSelector");
  const isAll = selector.trim() === "";
  return (
    <Modal
      isOpen
      variant="small"
      onClose={onClose}
      aria-labelledby="halt-title"
      aria-describedby="halt-text"
      elementToFocus="#halt-reason"
    >
      <ModalHeader
        title={isAll ? "Halt all chaos" : "Halt chaos on these clusters"}
        titleIconVariant="danger"
        labelId="halt-title"
      />
      <ModalBody>
        <Content component="p" id="halt-text">
          {isAll ? "On all clusters: " : "On the clusters with these labels: "}
          scenarios that wait end at once, those that run are stopped and get their time to roll
          back, and nothing starts until someone resumes. What was stopped does not go on then.
        </Content>
        <Form
          id={FORM}
          onSubmit={(event) => {
            event.preventDefault();
            if (reason.trim() && !isBusy) void submit();
          }}
        >
          <Field id="halt-reason" label="Reason" isRequired error={wrong("reason")}>
            <TextInput
              id="halt-reason"
              value={reason}
              isRequired
              maxLength={1024}
              autoComplete="off"
              {...described("halt-reason", wrong("reason"))}
              onChange={(_, text) => setReason(text)}
            />
          </Field>
          <Field
            id="halt-selector"
            label="Only clusters with labels"
            hint="As kubectl -l: env=prod,tier!=test. Empty: all clusters."
            error={wrong("targetSelector")}
          >
            <TextInput
              id="halt-selector"
              value={selector}
              autoComplete="off"
              placeholder="all"
              {...described("halt-selector", wrong("targetSelector"))}
              onChange={(_, text) => setSelector(text)}
            />
          </Field>
        </Form>
        {isElsewhere && <ErrorState title="It is not halted" error={error} />}
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form={FORM}
          variant="danger"
          isLoading={isBusy}
          isDisabled={isBusy || reason.trim() === ""}
        >
          {isAll ? "Halt all clusters" : "Halt these clusters"}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
