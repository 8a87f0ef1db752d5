import { expect, test } from "vitest";
import type { Run } from "../api/types";
import { merged } from "./useRuns";

const run = (runId: string, createdAt: string, status = "Running") =>
  ({ runId, createdAt, status }) as Run;

test("the newest runs are as they were read last, the older ones follow", () => {
  const all = [run("gone", "5"), run("b", "4"), run("a", "3"), run("old", "2")];
  const newest = [run("new", "6"), run("b", "4", "Failed"), run("a", "3")];
  const found = merged(newest, all);
  expect(found.map(({ runId }) => runId)).toEqual(["new", "b", "a", "old"]);
  expect(found[1]!.status).toBe("Failed");
  expect(merged([], all)).toEqual([]);
});
