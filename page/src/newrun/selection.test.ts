import { expect, test } from "vitest";
import type { JobOutline } from "../api/live";
import type { Target } from "../api/types";
import { busy, canRun, clusters, found, isNamed, summary, summaryText } from "./selection";

const target = (uuid: string, ready = true, reason = "") =>
  ({ uuid, clusterName: uuid, ready, reason, labels: {} }) as unknown as Target;

test.each([
  ["eu", "eu-1", true],
  ["EU-*", "eu-1", true],
  ["eu-*", "new-eu-1", false],
  ["", "anything", true],
])("%j finds %j: %j", (search, name, expected) => {
  expect(isNamed(name, search)).toBe(expected);
});

test("targets that are found, by labels and by name, in the order of numbers", () => {
  const all = ["eu-10", "eu-9", "us-1"].map((uuid) => target(uuid));
  const names = (of: Target[]) => of.map(({ uuid }) => uuid);
  expect(names(found(all, "", undefined))).toEqual(["eu-9", "eu-10", "us-1"]);
  expect(names(found(all, "eu", new Set(["eu-10", "us-1"])))).toEqual(["eu-10"]);
});

test("what is not ready may run, what the service refuses may not", () => {
  expect(canRun(target("a", false, "Unreachable"))).toBe(true);
  expect(canRun(target("a", false, ""))).toBe(true);
  expect(canRun(target("a", false, "AddressRefused"))).toBe(false);
});

test("the selection in words", () => {
  const targets = new Map(
    [target("a"), target("b", false), target("c")].map((each) => [each.uuid, each]),
  );
  const job = (targetUUID: string, status: string) => ({ targetUUID, status }) as JobOutline;
  const jobs = busy([job("a", "Running"), job("a", "Stopping"), job("c", "Pending")]);
  expect(busy([job("a", "Failed")]).size).toBe(0);
  const counts = summary(new Set(["a", "b", "gone"]), targets, jobs);
  expect(jobs.get("a")).toBe(2);
  expect(counts).toEqual({ selected: 3, busy: 1, notReady: 1, gone: 1 });
  expect(summaryText(counts)).toBe("3 selected, 1 busy, 1 not ready, 1 not registered any more");
  expect([clusters(1), clusters(204)]).toEqual(["1 cluster", "204 clusters"]);
});
