import { Button, Checkbox, TextInput } from "@patternfly/react-core";
import { MinusCircleIcon, PlusCircleIcon } from "@patternfly/react-icons";
import type { Variable } from "./draft";
import { useNewRun } from "./form";
import { variableKey } from "./violations";

/** Variables that are none of the scenario's parameters. */
export function OtherVariables() {
  const { draft, violations, update } = useNewRun();
  const { variables } = draft;
  const put = (index: number, changes: Partial<Variable>) => {
    const next = variables.map((each, at) => (at === index ? { ...each, ...changes } : each));
    update({ variables: next }, ...[variables[index], next[index]].map(keyOf));
  };
  return (
    <fieldset className="krkn-set">
      <legend>Other variables</legend>
      {variables.map((variable, index) => (
        <Row
          key={index}
          variable={variable}
          number={index + 1}
          error={violations.get(keyOf(variable))}
          onChange={(changes) => put(index, changes)}
          onRemove={() =>
            update({ variables: variables.filter((_, at) => at !== index) }, keyOf(variable))
          }
        />
      ))}
      <Button
        variant="link"
        isInline
        icon={<PlusCircleIcon />}
        onClick={() =>
          update({ variables: [...variables, { name: "", value: "", isSecret: false }] })
        }
      >
        Add a variable
      </Button>
    </fieldset>
  );
}

const keyOf = (variable: Variable | undefined) => variableKey(variable?.name ?? "");

interface RowProps {
  readonly variable: Variable;
  readonly number: number;
  readonly error: string | undefined;
  readonly onChange: (changes: Partial<Variable>) => void;
  readonly onRemove: () => void;
}

function Row({ variable, number, error, onChange, onRemove }: RowProps) {
  const { name, value, isSecret } = variable;
  const validated = error ? "error" : "default";
  return (
    <>
      <div className="krkn-variable-row">
        <TextInput
          aria-label={`Name of variable ${number}`}
          placeholder="NAME"
          autoComplete="off"
          value={name}
          validated={validated}
          onChange={(_, next) => onChange({ name: next })}
        />
        <TextInput
          aria-label={`Value of ${name || `variable ${number}`}`}
          placeholder="value"
          type={isSecret ? "password" : "text"}
          autoComplete={isSecret ? "new-password" : "off"}
          value={value}
          validated={validated}
          onChange={(_, next) => onChange({ value: next })}
        />
        <Checkbox
          id={`variable-${number}-secret`}
          label="Secret"
          isChecked={isSecret}
          onChange={(_, next) => onChange({ isSecret: next })}
        />
        <Button
          variant="plain"
          icon={<MinusCircleIcon />}
          aria-label={`Remove ${name || `variable ${number}`}`}
          onClick={onRemove}
        />
      </div>
      {error && <p className="krkn-wrong krkn-wrap">{error}</p>}
    </>
  );
}
