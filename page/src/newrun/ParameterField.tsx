import { FormSelect, FormSelectOption, Switch, TextInput } from "@patternfly/react-core";
import { memo } from "react";
import type { ScenarioField, ScenarioFile } from "../api/types";
import { described, Field } from "./Field";
import { FileInput } from "./FileInput";
import { base64, read } from "./files";
import { choices, controlOf, isNeeded } from "./parameters";

interface Props {
  readonly field: ScenarioField;
  readonly value: string;
  readonly file: ScenarioFile | undefined;
  readonly error: string | undefined;
  readonly onChange: (field: ScenarioField, value: string, file?: ScenarioFile) => void;
}

/** A parameter of a scenario, as the control that its type asks for. */
export const ParameterField = memo(function ParameterField(props: Props) {
  const { field, error } = props;
  const id = `parameter-${field.variable}`;
  return (
    <Field
      id={id}
      label={field.short_description || field.name}
      info={<code className="krkn-faint krkn-variable">{field.variable}</code>}
      help={field.description}
      hint={hintOf(field)}
      error={error}
      isRequired={isNeeded(field)}
    >
      <Control {...props} id={id} />
    </Field>
  );
});

function hintOf(field: ScenarioField): string {
  if (controlOf(field) === "secret") return "Secret: neither shown nor kept on this page.";
  if (field.mount_path) return `In the container at ${field.mount_path}`;
  return "";
}

function Control(props: Props & { readonly id: string }) {
  const { field, value, id, error, onChange } = props;
  const common = {
    id,
    value,
    ...described(id, error),
    isRequired: isNeeded(field),
    onChange: (_: unknown, next: string) => onChange(field, next),
  };
  switch (controlOf(field)) {
    case "secret":
      return <TextInput {...common} type="password" autoComplete="new-password" />;
    case "number":
      return <TextInput {...common} inputMode="decimal" autoComplete="off" />;
    case "text":
      return <TextInput {...common} autoComplete="off" />;
    case "switch":
      return (
        <Switch
          id={id}
          label={value.toLowerCase() === "true" ? "true" : "false"}
          aria-label={field.short_description || field.name}
          isChecked={value.toLowerCase() === "true"}
          onChange={(_, isOn) => onChange(field, String(isOn))}
        />
      );
    case "choice": {
      const { validated, ...rest } = common;
      return (
        <FormSelect {...rest} validated={validated}>
          {!field.default && <FormSelectOption value="" label="–" />}
          {choices(field).map((choice) => (
            <FormSelectOption key={choice} value={choice} label={choice} />
          ))}
        </FormSelect>
      );
    }
    case "file":
      return <FileControl {...props} />;
  }
}

/** A file goes to its place in the container, or, in base64, into the variable; never both. */
function FileControl({ field, value, file, id, error, onChange }: Props & { readonly id: string }) {
  const isInVariable = field.type === "file_base64";
  return (
    <FileInput
      id={id}
      label={field.short_description || field.name}
      filename={isInVariable && value ? "(read)" : (file?.name ?? "")}
      isInvalid={Boolean(error)}
      onFile={async (chosen) => {
        if (isInVariable) onChange(field, await base64(chosen));
        else onChange(field, "", await read(chosen, field.mount_path));
      }}
      onClear={() => onChange(field, "")}
    />
  );
}
