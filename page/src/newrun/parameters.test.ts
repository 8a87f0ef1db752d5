import { expect, test } from "vitest";
import type { ScenarioField } from "../api/types";
import { choices, controlOf, groups, isNeeded, shown, wrong } from "./parameters";

const PLAIN: ScenarioField = {
  name: "it",
  short_description: "",
  description: "",
  variable: "IT",
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
};
const of = (rest: Partial<ScenarioField>): ScenarioField => ({ ...PLAIN, ...rest });

test.each([
  [{}, "text"],
  [{ type: "number" }, "number"],
  [{ type: "boolean" }, "switch"],
  [{ type: "enum", allowed_values: "a,b" }, "choice"],
  [{ type: "file", secret: true }, "file"],
  [{ type: "file_base64" }, "file"],
  [{ secret: true }, "secret"],
  [{ type: "enum", allowed_values: "a,b", secret: true }, "secret"],
] as const)("the control of %j is %s", (rest, control) => {
  expect(controlOf(of(rest))).toBe(control);
});

test("choices are split by the parameter's own separator", () => {
  expect(choices(of({ allowed_values: "a | b", separator: "|" }))).toEqual(["a", "b"]);
  expect(choices(of({ allowed_values: "True,False" }))).toEqual(["True", "False"]);
  expect(choices(PLAIN)).toEqual([]);
});

test("the default is shown until something is typed, also nothing", () => {
  const field = of({ default: "60" });
  expect(shown(field, {})).toBe("60");
  expect(shown(field, { IT: "" })).toBe("");
});

test.each([
  [{ required: true }, "", "is required by this scenario"],
  [{ required: true, default: "x" }, "", ""],
  [{ type: "number" }, "1.5", ""],
  [{ type: "number" }, "1e3", "must be a number"],
  [{ type: "boolean" }, "TRUE", ""],
  [{ type: "boolean" }, "yes", "must be true or false"],
  [{ type: "enum", allowed_values: "a,b" }, "c", "must be one of a, b"],
  [{ validator: "^a+$" }, "b", "must match ^a+$"],
  [{ validator: "^a+$", validation_message: "only a" }, "b", "only a"],
  [{ validator: "^a+$", default: "b" }, "b", ""],
  // Of the service's engine, not of this one: left to the service.
  [{ validator: "(?P<name>a)" }, "b", ""],
] as const)("of %j the value %j: %j", (rest, value, expected) => {
  expect(wrong(of(rest), value)).toBe(expected);
});

test("what is needed, and the groups in their order", () => {
  expect(isNeeded(of({ required: true }))).toBe(true);
  expect(isNeeded(of({ required: true, default: "1" }))).toBe(false);
  const fields = [of({ group: "b" }), of({ group: "a" }), of({ group: "b", variable: "TWO" })];
  expect(groups(fields).map(({ title, fields: all }) => [title, all.length])).toEqual([
    ["b", 2],
    ["a", 1],
  ]);
});
