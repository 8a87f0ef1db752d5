import { expect, test } from "vitest";
import type { Job } from "../api/types";
import { failedFirst, passes, reasons } from "./jobs";

const job = (clusterName: string, status: string, reason = "") =>
  ({ clusterName, status, reason, jobId: `id-${clusterName}`, message: "" }) as Job;

const JOBS = [
  job("eu-10", "Succeeded", "Completed"),
  job("eu-9", "Succeeded", "Completed"),
  job("us-1", "Running"),
  job("us-2", "Failed", "NonZeroExit"),
  job("ap-1", "Failed", "OOMKilled"),
];

test("those that failed come first, and numbers in names count as numbers", () => {
  expect(failedFirst(JOBS).map(({ clusterName }) => clusterName)).toEqual([
    "ap-1",
    "us-2",
    "us-1",
    "eu-9",
    "eu-10",
  ]);
});

test.each([
  [{ state: "failed" }, ["us-2", "ap-1"]],
  [{ reason: "OOMKilled" }, ["ap-1"]],
  [{ text: "eu" }, ["eu-10", "eu-9"]],
  [{ text: "*-1" }, ["us-1", "ap-1"]],
  [{ text: "id-us" }, ["us-1", "us-2"]],
  [{ state: "failed", text: "us" }, ["us-2"]],
])("%j", (filters, expected) => {
  const found = JOBS.filter((each) =>
    passes(each, { state: "", reason: "", text: "", ...filters }),
  );
  expect(found.map(({ clusterName }) => clusterName)).toEqual(expected);
});

test("reasons are counted", () => {
  expect(reasons(JOBS)).toEqual([
    ["Completed", 2],
    ["NonZeroExit", 1],
    ["OOMKilled", 1],
  ]);
});
