import {
  Button,
  Form,
  FormSelect,
  FormSelectOption,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from "@patternfly/react-core";
import { useState } from "react";
import { ApiError } from "../api/errors";
import { pairs } from "../newrun/draft";
import { described, Field } from "../newrun/Field";
import { FileInput } from "../newrun/FileInput";
import { ErrorState } from "../ui/ErrorState";
import type { Context, Kubeconfig } from "./kubeconfig";
import { createTarget } from "./targetCalls";

const FORM = "register-form";

/** Registers a cluster from a kubeconfig file; the file is read here, and kept nowhere. */
export function RegisterDialog({ onClose }: { readonly onClose: () => void }) {
  const [file, setFile] = useState("");
  const [kubeconfig, setKubeconfig] = useState<Kubeconfig>();
  const [context, setContext] = useState("");
  const [name, setName] = useState("");
  const [labels, setLabels] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const contexts = kubeconfig?.contexts() ?? [];
  const chosen = contexts.find((each) => each.name === context);
  const choose = (next: string) => {
    // A name that was typed stays; one that came from another context does not.
    if (name.trim() === "" || name === context) setName(next);
    setContext(next);
    setError(undefined);
  };
  const read = async (given: File) => {
    setFile(given.name);
    setKubeconfig(undefined);
    setContext("");
    setError(undefined);
    // Only who registers needs the parser.
    const { Kubeconfig: Reader } = await import("./kubeconfig");
    const next = Reader.read(await given.text());
    const found = next.contexts();
    const first = found.find(({ isCurrent }) => isCurrent) ?? found[0];
    if (!first) throw new Error("the file has no contexts");
    setKubeconfig(next);
    choose(first.name);
  };
  const clear = () => {
    setFile("");
    setKubeconfig(undefined);
    setContext("");
  };
  const register = async () => {
    if (!kubeconfig || !chosen) return;
    setBusy(true);
    setError(undefined);
    try {
      await createTarget({
        clusterName: name.trim(),
        secretType: "kubeconfig",
        kubeconfig: kubeconfig.only(chosen.name),
        labels: pairs(labels),
      });
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const wrong = (field: string) => wrongOf(error, field);
  const canSend = chosen !== undefined && chosen.refusal === "" && name.trim() !== "" && !isBusy;
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-label="Register a cluster">
      <ModalHeader
        title="Register a cluster"
        description="From a kubeconfig file with its credential inside. The file is read here, one context of it is sent to the service, and nothing of it is kept on this page."
      />
      <ModalBody>
        <Form
          id={FORM}
          autoComplete="off"
          onSubmit={(event) => {
            event.preventDefault();
            if (canSend) void register();
          }}
        >
          <Field id="kubeconfig" label="Kubeconfig" isRequired error={wrong("kubeconfig")}>
            <FileInput
              id="kubeconfig"
              label="Kubeconfig"
              filename={file}
              isInvalid={Boolean(wrong("kubeconfig"))}
              onFile={read}
              onClear={clear}
            />
          </Field>
          {chosen && <ContextField contexts={contexts} chosen={chosen} onChoose={choose} />}
          <Field id="cluster-name" label="Name" isRequired error={wrong("clusterName")}>
            <TextInput
              id="cluster-name"
              value={name}
              isRequired
              {...described("cluster-name", wrong("clusterName"))}
              onChange={(_, text) => setName(text)}
            />
          </Field>
          <Field
            id="cluster-labels"
            label="Labels"
            hint="To choose clusters by: env=prod, tier=web"
            error={wrong("labels")}
          >
            <TextInput
              id="cluster-labels"
              value={labels}
              {...described("cluster-labels", wrong("labels"))}
              onChange={(_, text) => setLabels(text)}
            />
          </Field>
        </Form>
        {error !== undefined && <ErrorState title="It is not registered" error={error} />}
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form={FORM} isLoading={isBusy} isDisabled={!canSend}>
          Register
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}

interface ContextFieldProps {
  readonly contexts: readonly Context[];
  readonly chosen: Context;
  readonly onChoose: (name: string) => void;
}

function ContextField({ contexts, chosen, onChoose }: ContextFieldProps) {
  return (
    <Field id="context" label="Context" hint={chosen.server} error={chosen.refusal || undefined}>
      <FormSelect
        id="context"
        value={chosen.name}
        {...described("context", chosen.refusal || undefined)}
        onChange={(_, name) => onChoose(name)}
      >
        {contexts.map(({ name, isCurrent }) => (
          <FormSelectOption
            key={name}
            value={name}
            label={isCurrent ? `${name} (current)` : name}
          />
        ))}
      </FormSelect>
    </Field>
  );
}

/** What the service says of a field, also of a part of it such as `labels[env]`. */
function wrongOf(error: unknown, name: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const found = error.fields.find(({ field }) => field.split(/[.[]/)[0] === name);
  return found?.description;
}
