/** Labels and variables as texts. */

/** `env=prod`, or the key alone where the value is empty; by key, because the API has no order. */
export function labelTexts(labels: Readonly<Record<string, string>>): string[] {
  return sorted(labels).map(([key, value]) => (value ? `${key}=${value}` : key));
}

/** The entries by key. */
export function sorted(values: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(values).sort(([one], [other]) => (one < other ? -1 : 1));
}
