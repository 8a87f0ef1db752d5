import { expect, test } from "vitest";
import { comparable, cutAt, plain, Resumption, timed } from "./line";

test.each([
  ["\u001b[31mred\u001b[0m", "red"],
  ["progress\r", "progress"],
  ["a\u0007b\u001bc", "a\uFFFDb\uFFFDc"],
  ["user\u202Egnp.exe", "user\uFFFDgnp.exe"],
  ["<b>tab\there</b>", "<b>tab\there</b>"],
])("%j reads %j", (text, expected) => {
  expect(plain(text)).toBe(expected);
});

test("a time is cut off where there is one", () => {
  expect(timed("2026-11-30T12:00:00.5Z a line")).toEqual({
    time: "2026-11-30T12:00:00.5Z",
    text: "a line",
  });
  expect(timed("2026-11-30T12:00:00Z")).toEqual({ time: "2026-11-30T12:00:00Z", text: "" });
  expect(timed("no time")).toEqual({ time: "", text: "no time" });
});

test("times compare though their digits are as many as they need", () => {
  expect(comparable("2026-11-30T12:00:00.12Z") > comparable("2026-11-30T12:00:00.1Z")).toBe(true);
  expect(comparable("2026-11-30T12:00:00Z") < comparable("2026-11-30T12:00:00.1Z")).toBe(true);
});

test("a log that is read again gives what is new only", () => {
  const resumption = new Resumption();
  const read = (...lines: string[]) =>
    lines.map((line) => timed(`2026-11-30T12:00:${line}`)).filter((each) => resumption.isNew(each));
  const texts = (...lines: string[]) => read(...lines).map(({ text }) => text);
  expect(texts("01Z a", "02Z b", "02Z b")).toEqual(["a", "b", "b"]);
  resumption.begin();
  expect(texts("01Z a", "02Z b", "02Z b", "02Z b", "03Z c")).toEqual(["b", "c"]);
  resumption.begin();
  expect(texts("03Z c", "03.5Z d")).toEqual(["d"]);
  resumption.begin();
  expect(texts("04Z e")).toEqual(["e"]);
});

test("lines of two streams need not be in the order of their times", () => {
  const resumption = new Resumption();
  const texts = (...lines: string[]) =>
    lines
      .map((line) => timed(`2026-11-30T12:00:${line}`))
      .filter((each) => resumption.isNew(each))
      .map(({ text }) => text);
  expect(texts("02Z out", "01Z err")).toEqual(["out", "err"]);
  resumption.begin();
  expect(texts("02Z out", "01Z err", "01.5Z late", "03Z new")).toEqual(["late", "new"]);
});

test.each([
  ["an error, an Error", "error", ["an ", "error", ", an ", "Error", ""]],
  ["nothing", "x", ["nothing"]],
  ["all", "", ["all"]],
  ["İx", "x", ["İx"]],
])("%j cut at %j", (text, found, expected) => {
  expect(cutAt(text, found)).toEqual(expected);
});
