import { expect, test } from "vitest";
import { globMatches } from "./glob";

test.each([
  ["eu-*", "eu-west-1", true],
  ["eu-*", "us-east-1", false],
  ["*-1", "eu-west-1", true],
  ["*west*", "eu-WEST-1", true],
  ["a*a", "a", false],
  ["a*b*c", "a-c-b", false],
  ["a*b*c", "aXbYc", true],
  ["*", "", true],
  ["eu", "eu-west", false],
  ["a.c", "abc", false],
])("%s matches %s: %s", (pattern, name, expected) => {
  expect(globMatches(pattern, name)).toBe(expected);
});

test("a hostile pattern costs no time", () => {
  expect(globMatches(`${"*a".repeat(2000)}b`, "a".repeat(5000))).toBe(false);
});
