/** What a form makes of a scenario's parameters. Pure. */
import type { ScenarioField } from "../api/types";

export type Control = "text" | "number" | "switch" | "choice" | "file" | "secret";

/** Values by the variables of their parameters; what is not there was not touched. */
export type Values = Readonly<Record<string, string>>;

/** What to show for a parameter; a secret is never shown, whatever its type. */
export function controlOf(field: ScenarioField): Control {
  if (field.type === "file" || field.type === "file_base64") return "file";
  if (field.secret) return "secret";
  if (choices(field).length > 0) return "choice";
  if (field.type === "boolean") return "switch";
  return field.type === "number" ? "number" : "text";
}

/** The values that an enum allows, in its order. */
export function choices({ allowed_values, separator }: ScenarioField): string[] {
  const values = allowed_values.split(separator || ",").map((value) => value.trim());
  return values.filter(Boolean);
}

/** Whether a run cannot do without a value for it. */
export function isNeeded(field: ScenarioField): boolean {
  return field.required && !field.default;
}

/** What the form holds for a parameter: what was typed, else its default. */
export function shown(field: ScenarioField, values: Values): string {
  return values[field.variable] ?? field.default ?? "";
}

/**
 * Say what is wrong with a value, as the service would; "" if nothing is known to be.
 *
 * Only the service decides: it has another engine for patterns, so one that does not compile here
 * is left to it.
 */
export function wrong(field: ScenarioField, value: string): string {
  if (value === "") return isNeeded(field) ? "is required by this scenario" : "";
  if (value === field.default) return "";
  const allowed = choices(field);
  if (allowed.length > 0 && !allowed.includes(value)) {
    return `must be one of ${allowed.join(", ")}`;
  }
  if (field.type === "number" && !/^[+-]?\d+(\.\d+)?$/.test(value)) return "must be a number";
  if (field.type === "boolean" && !/^(true|false)$/i.test(value)) return "must be true or false";
  if (field.type !== "file_base64" && !passes(field.validator, value)) {
    return field.validation_message || `must match ${field.validator}`;
  }
  return "";
}

function passes(pattern: string, value: string): boolean {
  // Patterns of the catalogue are short; a value that is long is left to the service.
  if (!pattern || value.length > 1000) return true;
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}

export interface Group {
  /** Empty for parameters without a group. */
  readonly title: string;
  readonly fields: readonly ScenarioField[];
}

/** Parameters by their groups, in the order in which the groups come. */
export function groups(fields: readonly ScenarioField[]): Group[] {
  const found = new Map<string, ScenarioField[]>();
  for (const field of fields) {
    const group = found.get(field.group);
    if (group) group.push(field);
    else found.set(field.group, [field]);
  }
  return [...found].map(([title, of]) => ({ title, fields: of }));
}
