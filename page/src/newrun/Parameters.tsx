import { ExpandableSection, FormFieldGroup, FormFieldGroupHeader } from "@patternfly/react-core";
import { useCallback, useRef, useState, useEffect } from "react";
import type { ScenarioField, ScenarioFile } from "../api/types";
import { useNewRun } from "./form";
import { ParameterField } from "./ParameterField";
import { groups, shown, wrong } from "./parameters";
import { variableKey } from "./violations";

/** The parameters of the scenario, and behind a toggle those that every scenario has. */
export function Parameters() {
  const { draft, own, globals, violations } = useNewRun();
  const [isOpen, setOpen] = useState(false);
  const isWrong = globals.some(({ variable }) => violations.has(variableKey(variable)));
  const changed = globals.filter(({ variable }) => draft.values[variable] !== undefined).length;
  return (
    <>
      {own.length === 0 && <p className="krkn-faint">It has no parameters of its own.</p>}
      <Fields fields={own} />
      {globals.length > 0 && (
        <ExpandableSection
          toggleText={`Parameters of every scenario (${changed > 0 ? `${changed} of ` : ""}${globals.length})`}
          isExpanded={isOpen || isWrong}
          onToggle={(_, next) => setOpen(next)}
        >
          {(isOpen || isWrong) &&
            groups(globals).map(({ title, fields }) => (
              <FormFieldGroup
                key={title}
                header={
                  <FormFieldGroupHeader
                    titleText={{ text: title || "other", id: `group-${title}` }}
                  />
                }
              >
                <Fields fields={fields} />
              </FormFieldGroup>
            ))}
        </ExpandableSection>
      )}
    </>
  );
}

function Fields({ fields }: { readonly fields: readonly ScenarioField[] }) {
  const { draft, violations, update } = useNewRun();
  // The same function while the draft changes, so that a key draws the field that it is for.
  const latest = useRef({ draft, update });
  useEffect(() => {
    latest.current = { draft, update };
  });
  const change = useCallback((field: ScenarioField, value: string, file?: ScenarioFile) => {
    const { draft: before, update: write } = latest.current;
    const parameterFiles = without(before.parameterFiles, field.variable);
    if (file) parameterFiles[field.variable] = file;
    const values = { ...before.values, [field.variable]: value };
    if (value === (field.default ?? "")) delete values[field.variable];
    write({ values, parameterFiles }, variableKey(field.variable));
  }, []);
  return (
    <div className="krkn-grid">
      {fields.map((field) => {
        const value = shown(field, draft.values);
        const isTouched = draft.values[field.variable] !== undefined;
        const own = isTouched ? wrong(field, value) : "";
        return (
          <ParameterField
            key={field.variable}
            field={field}
            value={value}
            file={draft.parameterFiles[field.variable]}
            error={violations.get(variableKey(field.variable)) ?? (own || undefined)}
            onChange={change}
          />
        );
      })}
    </div>
  );
}

function without<T>(entries: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([each]) => each !== name));
}
