import { expect, test } from "vitest";
import { keyOf } from "./session";

test.each([
  ["#/token=abc", "abc"],
  ["#token=a%2Bb", "a+b"],
  ["#token=abc&x=1", undefined],
  ["#token=", undefined],
  ["#/runs?token=abc", undefined],
  ["", undefined],
])("the key in %j is %j", (fragment, key) => {
  expect(keyOf(fragment)).toBe(key);
});
