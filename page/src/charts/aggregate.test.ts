import { expect, test } from "vitest";
import type { Job } from "../api/types";
import { buckets, byName, ended, histogram, overTime, quantile, success } from "./aggregate";

const NOW = Date.parse("2026-11-30T12:34:00Z");
const STARTS = buckets("24h", NOW);

const job = (scenarioName: string, status: string, completionTime?: string, startTime?: string) =>
  ({ scenarioName, clusterName: "eu-1", status, completionTime, startTime }) as Job;

const JOBS = [
  job("pods", "Succeeded", "2026-11-30T12:30:00Z", "2026-11-30T12:29:00Z"),
  job("pods", "Failed", "2026-11-30T12:10:00Z"),
  job("pods", "Stopped", "2026-11-30T11:59:59Z", "2026-11-30T11:59:00Z"),
  job("nodes", "Succeeded", "2026-11-28T12:00:00Z", "2026-11-28T11:00:00Z"),
  job("nodes", "Running", undefined, "2026-11-30T12:00:00Z"),
];

test("the last part of a range has now in it", () => {
  expect(STARTS).toHaveLength(24);
  expect(new Date(STARTS.at(-1)!).toISOString()).toBe("2026-11-30T12:00:00.000Z");
  expect(new Date(STARTS[0]!).toISOString()).toBe("2026-11-29T13:00:00.000Z");
});

test("jobs that are over count where they ended", () => {
  const over = ended(JOBS);
  expect(over.map(({ took }) => took)).toEqual([60_000, undefined, 59_000, 3_600_000]);
  const counts = overTime(over, STARTS);
  expect(counts.at(-1)).toEqual({ succeeded: 1, failed: 1, stopped: 0 });
  expect(counts.at(-2)).toEqual({ succeeded: 0, failed: 0, stopped: 1 });
});

test("names without a job in the range are left out", () => {
  const rows = byName(ended(JOBS), ({ scenario }) => scenario, STARTS);
  expect(rows.map(({ name, all }) => [name, all])).toEqual([
    ["pods", { succeeded: 1, failed: 1, stopped: 1 }],
  ]);
});

test("success leaves out what was stopped", () => {
  expect(success({ succeeded: 1, failed: 1, stopped: 8 })).toBe(0.5);
  expect(success({ succeeded: 0, failed: 0, stopped: 1 })).toBeUndefined();
});

test("durations are grouped, and each has a group", () => {
  expect(histogram([0, 1000, 1001, 3_600_000, 1e9])).toEqual([2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
});

test.each([
  [0.5, 2],
  [0.95, 4],
  [0, 1],
])("the quantile of %d", (share, expected) => {
  expect(quantile([4, 1, 3, 2], share)).toBe(expected);
  expect(quantile([], share)).toBeUndefined();
});
