import { expect, test, vi } from "vitest";
import { LogBuffer } from "./buffer";

const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ time: "", text: String(from + index) }));

test("it keeps the last lines, and counts the others", () => {
  const buffer = new LogBuffer(10);
  for (let from = 0; from < 100; from += 5) buffer.append(lines(from, from + 5));
  buffer.state("ended");
  const { lines: kept, dropped, state } = buffer.get();
  expect(kept.map(({ text }) => text)).toEqual(lines(90, 100).map(({ text }) => text));
  expect(dropped).toBe(90);
  expect(state).toBe("ended");
});

test("it says where the log comes from", () => {
  const buffer = new LogBuffer();
  expect(buffer.get().kept).toBe("");
  buffer.from("kept, truncated");
  buffer.state("following");
  expect(buffer.get().kept).toBe("kept, truncated");
  buffer.clear();
  expect(buffer.get().kept).toBe("kept, truncated");
});

test("many lines are one change", () => {
  vi.useFakeTimers();
  const buffer = new LogBuffer();
  const changed = vi.fn();
  buffer.subscribe(changed);
  for (let from = 0; from < 50; from++) buffer.append(lines(from, from + 1));
  expect(changed).not.toHaveBeenCalled();
  vi.runAllTimers();
  expect(changed).toHaveBeenCalledTimes(1);
  expect(buffer.get().lines).toHaveLength(50);
  vi.useRealTimers();
});
