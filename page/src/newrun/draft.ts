/** A run that is being put together: what the form holds, and the request that it makes. Pure. */
import type { Run, RunScenarioRequest, ScenarioField, ScenarioFile } from "../api/types";
import { controlOf, type Values } from "./parameters";

/** What RunScenario takes, without nulls: what is not said is left out. */
export type RunRequest = {
  readonly [Name in keyof RunScenarioRequest]?: Exclude<RunScenarioRequest[Name], null>;
};

/** A variable that is not one of the scenario's parameters. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly isSecret: boolean;
}

export interface Draft {
  readonly scenarioName: string;
  /** The scenario is not one of the catalogue: it has a name and an image of the user's. */
  readonly isFree: boolean;
  readonly scenarioImage: string;
  readonly kubeconfigPath: string;
  /** Of the parameters that were touched. */
  readonly values: Values;
  /** Files for parameters, by their variables. */
  readonly parameterFiles: Readonly<Record<string, ScenarioFile>>;
  readonly variables: readonly Variable[];
  readonly files: readonly ScenarioFile[];
  readonly targets: ReadonlySet<string>;
  readonly maxParallel: string;
  readonly maxFailures: string;
  readonly abortRunning: boolean;
  readonly timeoutSeconds: string;
  readonly ttlSecondsAfterFinished: string;
  readonly queueSeconds: string;
  readonly onBusy: string;
  readonly requireReady: boolean;
  /** `KEY=VALUE`, with commas or line breaks between them. */
  readonly labels: string;
  /** One in each line. */
  readonly abortOn: string;
  readonly registryUrl: string;
  readonly username: string;
  readonly password: string;
}

export const EMPTY: Draft = {
  scenarioName: "",
  isFree: false,
  scenarioImage: "",
  kubeconfigPath: "",
  values: {},
  parameterFiles: {},
  variables: [],
  files: [],
  targets: new Set(),
  maxParallel: "",
  maxFailures: "",
  abortRunning: false,
  timeoutSeconds: "",
  ttlSecondsAfterFinished: "",
  queueSeconds: "",
  onBusy: "Wait",
  requireReady: false,
  labels: "",
  abortOn: "",
  registryUrl: "",
  username: "",
  password: "",
};

/** The request, for RunScenario. What was left as it is by default is left out. */
export function requestOf(draft: Draft, fields: readonly ScenarioField[]): RunRequest {
  const { environment, secretEnvironment } = variablesOf(draft, fields);
  const files = [...Object.values(draft.parameterFiles), ...draft.files];
  return compact({
    scenarioName: draft.scenarioName.trim(),
    scenarioImage: draft.scenarioImage.trim(),
    kubeconfigPath: draft.kubeconfigPath.trim(),
    environment,
    secretEnvironment,
    files,
    targetUUIDs: [...draft.targets],
    maxParallel: number(draft.maxParallel) || undefined,
    maxFailures: number(draft.maxFailures),
    abortRunning: (draft.maxFailures.trim() !== "" && draft.abortRunning) || undefined,
    timeoutSeconds: number(draft.timeoutSeconds),
    ttlSecondsAfterFinished: number(draft.ttlSecondsAfterFinished),
    queueSeconds: number(draft.queueSeconds),
    onBusy: draft.onBusy === "Wait" ? undefined : draft.onBusy,
    requireReady: draft.requireReady || undefined,
    labels: pairs(draft.labels),
    abortOn: lines(draft.abortOn),
    registryUrl: draft.registryUrl.trim(),
    username: draft.username.trim(),
    password: draft.password,
  });
}

function variablesOf(draft: Draft, fields: readonly ScenarioField[]) {
  const environment: Record<string, string> = {};
  const secretEnvironment: Record<string, string> = {};
  for (const field of fields) {
    const value = draft.values[field.variable];
    if (value === undefined || value === (field.default ?? "")) continue;
    const isSecret = field.secret || controlOf(field) === "secret";
    (isSecret ? secretEnvironment : environment)[field.variable] = value;
  }
  for (const { name, value, isSecret } of draft.variables) {
    if (name.trim()) (isSecret ? secretEnvironment : environment)[name.trim()] = value;
  }
  return { environment, secretEnvironment };
}

/** Read `a=b, c=d`; a key without a value has an empty one. */
export function pairs(text: string): Record<string, string> {
  const parts = text.split(/[,\n]/).map((each) => each.trim());
  const entries = parts.filter(Boolean).map((each) => {
    const [key = "", ...rest] = each.split("=");
    return [key.trim(), rest.join("=").trim()] as const;
  });
  return Object.fromEntries(entries);
}

function lines(text: string): string[] {
  const all = text.split("\n").map((line) => line.trim());
  return all.filter(Boolean);
}

/** What is no number goes on as it is: the service says what is wrong with it. */
function number(text: string): number | undefined {
  const trimmed = text.trim();
  return trimmed === "" ? undefined : Number(trimmed);
}

function compact(request: RunRequest): RunRequest {
  const isThere = (value: unknown) => {
    if (value === undefined || value === "") return false;
    return typeof value !== "object" || value === null || Object.keys(value).length > 0;
  };
  return Object.fromEntries(Object.entries(request).filter(([, value]) => isThere(value)));
}

/** What a run was asked for, to be asked for again; its secrets and files are not known. */
export function draftOf(run: Run, isInCatalogue: boolean): Draft {
  const secrets = run.secretEnvironmentNames.map((name) => ({ name, value: "", isSecret: true }));
  const text = (value: number | undefined) => (value === undefined ? "" : String(value));
  return {
    ...EMPTY,
    scenarioName: run.scenarioName,
    isFree: !isInCatalogue,
    scenarioImage: run.scenarioImage,
    kubeconfigPath: run.kubeconfigPath,
    // Those that are no parameters are told apart once the parameters are known: `settled`.
    values: run.environment,
    variables: secrets,
    targets: new Set([...run.targets, ...run.refused].map(({ targetUUID }) => targetUUID)),
    maxParallel: run.maxParallel ? String(run.maxParallel) : "",
    maxFailures: text(run.maxFailures),
    abortRunning: run.abortRunning,
    timeoutSeconds: text(run.timeoutSeconds),
    ttlSecondsAfterFinished: text(run.ttlSecondsAfterFinished),
    queueSeconds: text(run.queueSeconds),
    onBusy: run.onBusy || "Wait",
    labels: Object.entries(run.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(", "),
    abortOn: run.abortOn.join("\n"),
  };
}

/** Make variables of the values that are none of the scenario's parameters, and the other way. */
export function settled(draft: Draft, fields: readonly ScenarioField[]): Draft {
  const known = new Set(fields.map(({ variable }) => variable));
  const strangers = Object.entries(draft.values).filter(([name]) => !known.has(name));
  const own = draft.variables.filter(({ name }) => known.has(name));
  if (strangers.length === 0 && own.length === 0) return draft;
  const values = { ...draft.values };
  for (const [name] of strangers) delete values[name];
  for (const { name, value } of own) if (value) values[name] = value;
  return {
    ...draft,
    values,
    variables: [
      ...draft.variables.filter(({ name }) => !known.has(name)),
      ...strangers.map(([name, value]) => ({ name, value, isSecret: false })),
    ],
  };
}
