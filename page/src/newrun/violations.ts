/** Refusals of the service, at the fields of the form. Pure. */
import type { FieldViolation } from "../api/errors";

/** What is wrong, by the form's field; "" has what belongs to none. */
export type Violations = ReadonlyMap<string, string>;

export const variableKey = (variable: string) => `variable ${variable}`;

/** The form's fields, which the service names as the request does. */
const FIELDS = [
  "scenarioName",
  "scenarioImage",
  "kubeconfigPath",
  "targetUUIDs",
  "files",
  "maxParallel",
  "maxFailures",
  "abortRunning",
  "timeoutSeconds",
  "ttlSecondsAfterFinished",
  "queueSeconds",
  "onBusy",
  "labels",
  "abortOn",
  "registryUrl",
  "username",
  "password",
];

/** `environment[NAMESPACE]` is the parameter's; `files[0].mountPath` that of the files. */
export function violationsOf(violations: readonly FieldViolation[]): Violations {
  const found = new Map<string, string>();
  for (const { field, description } of violations) {
    const key = keyOf(field);
    const known = FIELDS.includes(field) || key.startsWith("variable ");
    const text = known ? description : `${field}: ${description}`;
    found.set(key, found.has(key) ? `${found.get(key)}; ${text}` : text);
  }
  return found;
}

function keyOf(field: string): string {
  const variable = /^(?:environment|secretEnvironment)\[(.*)\]$/.exec(field)?.[1];
  if (variable !== undefined) return variableKey(variable);
  const name = /^\w+/.exec(field)?.[0] ?? "";
  return FIELDS.includes(name) ? name : "";
}
