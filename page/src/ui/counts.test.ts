import { expect, test } from "vitest";
import type { Job } from "../api/types";
import { countsOf, countsText, freshCounts, percent, stateOf } from "./counts";

const job = (status: string, startTime?: string) => ({ status, startTime }) as Job;

test.each([
  ["Pending", undefined, "pending"],
  ["Running", "t", "running"],
  ["Stopping", "t", "running"],
  ["Stopping", undefined, "pending"],
  ["Failed", "t", "failed"],
  ["SomethingNew", "t", "pending"],
])("a job that is %s counts as %s", (status, start, state) => {
  expect(stateOf(job(status, start))).toBe(state);
});

test("jobs are fresher than their run, unless some are gone", () => {
  const run = countsOf({ total: 3, pending: 2, refused: 1 } as never);
  const jobs = [job("Running", "t"), job("Succeeded", "t")];
  expect(freshCounts(run, jobs)).toMatchObject({
    running: 1,
    succeeded: 1,
    refused: 1,
    pending: 0,
  });
  expect(freshCounts(run, jobs.slice(1))).toBe(run);
});

test("a run is at 100 % only when it is over", () => {
  expect(percent(countsOf({ total: 1000, running: 1, succeeded: 999 } as never))).toBe(99);
  expect(percent(countsOf({ total: 2, failed: 1, refused: 1 } as never))).toBe(100);
  expect(percent(countsOf(undefined))).toBe(0);
});

test("counts as a sentence", () => {
  expect(countsText(countsOf({ total: 3, succeeded: 2, failed: 1 } as never))).toBe(
    "1 failed, 2 succeeded of 3",
  );
  expect(countsText(countsOf({ total: 2, succeeded: 2 } as never))).toBe("2 succeeded");
});
