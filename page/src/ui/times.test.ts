import { expect, test } from "vitest";
import { ago, millis, seconds, span } from "./times";

const NOW = Date.parse("2026-11-30T12:00:00Z");

test.each([
  ["2026-11-30T12:00:09Z", "now"],
  ["2026-11-30T11:59:48Z", "12s ago"],
  ["2026-11-30T11:58:01Z", "1m ago"],
  ["2026-11-30T09:00:00Z", "3h ago"],
  ["2026-11-20T12:00:00Z", "10d ago"],
])("%s is %s", (time, expected) => {
  expect(ago(millis(time)!, NOW)).toBe(expected);
});

test.each([
  [-5, "0:00"],
  [7_400, "0:07"],
  [750_000, "12:30"],
  [3_723_000, "1:02:03"],
  [183_600_000, "2d 3h"],
])("%d ms are %s", (milliseconds, expected) => {
  expect(span(milliseconds)).toBe(expected);
});

test.each([
  [90, "90 s"],
  [120, "2 min"],
  [3600, "1 h"],
  [604800, "7 d"],
  [0, "0 s"],
])("%d s are said as %s", (value, expected) => {
  expect(seconds(value)).toBe(expected);
});

test.each([undefined, "", "soon"])("%j is no time", (time) => {
  expect(millis(time)).toBeUndefined();
});
