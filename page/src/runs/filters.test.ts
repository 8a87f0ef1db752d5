import { expect, test } from "vitest";
import type { Run } from "../api/types";
import {
  format,
  NO_FILTERS,
  oldestTime,
  ofParameters,
  parse,
  passes,
  serverQuery,
  toParameters,
} from "./filters";

const NOW = Date.parse("2026-11-30T12:00:00Z");

const RUN = {
  runId: "6f1c1a52-5d0c-8b1e-9a51-7a4f0f8f3a10",
  scenarioName: "pod-scenarios",
  scenarioImage: "quay.io/krkn-chaos/krkn-hub:pod-scenarios",
  requestedBy: "ci@team-a",
  createdAt: "2026-11-30T11:00:00Z",
  labels: { wave: "1" },
} as unknown as Run;

test("what is typed is read, written and kept in the address", () => {
  const text = 'status:Failed scenario:pod-* cluster:eu-1 label:"a in (b, c)" since:24h some words';
  const filters = parse(text);
  expect(filters).toEqual({
    status: "Failed",
    scenario: "pod-*",
    cluster: "eu-1",
    label: "a in (b, c)",
    by: "",
    since: "24h",
    text: "some words",
  });
  expect(format(filters)).toBe(text);
  expect(ofParameters(toParameters(filters))).toEqual(filters);
});

test.each([
  ["status:fail", { status: "Failed" }],
  ["status:nonsense", { status: "" }],
  ["label:a=b label:c=d", { label: "a=b,c=d" }],
  ["colour:red", { text: "colour:red" }],
  ["", {}],
])("%s", (text, expected) => {
  expect(parse(text)).toEqual({ ...NO_FILTERS, ...expected });
});

test("the service filters what it can, this page the rest", () => {
  expect(serverQuery(parse("scenario:pod-scenarios by:ci")).scenarioName).toBe("pod-scenarios");
  expect(serverQuery(parse("scenario:pod-*")).scenarioName).toBe("");
});

test.each([
  ["", true],
  ["scenario:pod-*", true],
  ["scenario:node-*", false],
  ["since:2h", true],
  ["since:30m", false],
  ["since:soon", true],
  ["3A10", true],
  ["team-a pod", true],
  ["wave=1", true],
  ["team-b", false],
])("a run passes %j: %s", (text, expected) => {
  expect(passes(RUN, parse(text), NOW)).toBe(expected);
});

test("since is a time", () => {
  expect(oldestTime(parse("since:1d"), NOW)).toBe(NOW - 86_400_000);
});
