import { expect, test } from "vitest";
import { backoff, pause } from "./backoff";

test("waits double up to a longest one, half of them by chance", () => {
  expect([1, 2, 3, 4].map((failures) => backoff(failures, undefined, 1))).toEqual([0.5, 1, 2, 4]);
  expect(backoff(100, undefined, 1)).toBe(15);
  expect(backoff(100, undefined, 0)).toBe(7.5);
});

test("no wait is shorter than the service asks for", () => {
  expect(backoff(1, 20, 0)).toBe(20);
});

test("a wait ends when it is aborted", async () => {
  const abort = new AbortController();
  const waiting = pause(60, abort.signal);
  abort.abort();
  await expect(waiting).rejects.toThrow();
  await expect(pause(60, abort.signal)).rejects.toThrow();
});
