import { expect, test } from "vitest";
import type { Run, ScenarioField } from "../api/types";
import { draftOf, EMPTY, pairs, requestOf, settled } from "./draft";

function parameter(variable: string, rest: Partial<ScenarioField> = {}): ScenarioField {
  return {
    name: variable.toLowerCase(),
    short_description: "",
    description: "",
    variable,
    type: "string",
    required: false,
    validator: "",
    validation_message: "",
    separator: "",
    allowed_values: "",
    mount_path: "",
    requires: "",
    mutually_excludes: "",
    secret: false,
    group: "",
    ...rest,
  };
}

const NAMESPACE = parameter("NAMESPACE", { default: "default" });
const PASSWORD = parameter("PASSWORD", { secret: true });

test("a form that was not touched asks for the scenario alone", () => {
  const draft = { ...EMPTY, scenarioName: "pod-scenarios", targets: new Set(["one"]) };
  expect(requestOf(draft, [NAMESPACE, PASSWORD])).toEqual({
    scenarioName: "pod-scenarios",
    targetUUIDs: ["one"],
  });
});

test("values go where they belong: secrets apart, defaults left out", () => {
  const draft = {
    ...EMPTY,
    values: { NAMESPACE: "default", PASSWORD: "hush" },
    variables: [
      { name: " EXTRA ", value: "1", isSecret: false },
      { name: "KEY", value: "2", isSecret: true },
      { name: "", value: "3", isSecret: false },
    ],
  };
  expect(requestOf(draft, [NAMESPACE, PASSWORD])).toEqual({
    environment: { EXTRA: "1" },
    secretEnvironment: { PASSWORD: "hush", KEY: "2" },
  });
});

test("numbers, and zeros that mean something", () => {
  const draft = {
    ...EMPTY,
    maxParallel: "20",
    maxFailures: "0",
    ttlSecondsAfterFinished: "0",
    abortRunning: true,
    onBusy: "Refuse",
    labels: "wave=1, ticket",
    abortOn: '{alertname="X"}\n\n{env="p"}',
  };
  expect(requestOf(draft, [])).toEqual({
    maxParallel: 20,
    maxFailures: 0,
    ttlSecondsAfterFinished: 0,
    abortRunning: true,
    onBusy: "Refuse",
    labels: { wave: "1", ticket: "" },
    abortOn: ['{alertname="X"}', '{env="p"}'],
  });
  // Without a threshold there is nothing after which to abort.
  expect(requestOf({ ...EMPTY, abortRunning: true }, [])).toEqual({});
});

test("pairs keep what follows the first equals sign", () => {
  expect(pairs("a=b=c,\n d = e ,,")).toEqual({ a: "b=c", d: "e" });
});

test("a run becomes the form that asks for it again, without its secrets", () => {
  const run = {
    scenarioName: "pod-scenarios",
    scenarioImage: "image",
    kubeconfigPath: "/path",
    environment: { NAMESPACE: "shop", OTHER: "1" },
    secretEnvironmentNames: ["PASSWORD", "KEY"],
    targets: [{ targetUUID: "one", jobId: "" }],
    refused: [{ targetUUID: "two", error: "" }],
    labels: { wave: "1" },
    abortOn: [],
    maxParallel: 0,
    maxFailures: 0,
    abortRunning: false,
    timeoutSeconds: 60,
    queueSeconds: 5,
    onBusy: "Wait",
  } as unknown as Run;
  const draft = settled(draftOf(run, true), [NAMESPACE, PASSWORD]);
  expect([...draft.targets]).toEqual(["one", "two"]);
  expect(draft.values).toEqual({ NAMESPACE: "shop" });
  expect(draft.variables).toEqual([
    { name: "KEY", value: "", isSecret: true },
    { name: "OTHER", value: "1", isSecret: false },
  ]);
  expect(draft).toMatchObject({ maxParallel: "", maxFailures: "0", timeoutSeconds: "60" });
});
