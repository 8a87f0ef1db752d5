import { expect, test } from "vitest";
import type { JobOutline } from "../api/live";
import type { Target } from "../api/types";
import { labelChanges, labelsText, ofParameters, passing } from "./filters";
import { byTarget, keepEqual } from "./lastJobs";

test("filters of the address, without what they do not know", () => {
  expect(ofParameters(new URLSearchParams("name=eu&ready=false"))).toEqual({
    name: "eu",
    labels: "",
    ready: "false",
  });
  expect(ofParameters(new URLSearchParams("ready=perhaps")).ready).toBe("");
});

test("targets that pass, those that are not ready first", () => {
  const target = (uuid: string, ready: boolean) =>
    ({ uuid, clusterName: uuid, ready }) as unknown as Target;
  const all = [target("a", true), target("b-10", false), target("b-9", false)];
  const names = (name: string, ready = "", selected?: ReadonlySet<string>) =>
    passing(all, { name, ready, labels: "" }, selected).map(({ uuid }) => uuid);
  expect(names("")).toEqual(["b-9", "b-10", "a"]);
  expect(names("b-*", "true")).toEqual([]);
  expect(names("", "", new Set(["a"]))).toEqual(["a"]);
});

test("changes of labels: what is set, what goes, and what stays is not sent", () => {
  const labels = { env: "dev", tier: "web", old: "" };
  expect(labelsText(labels)).toBe("env=dev, tier=web, old");
  expect(labelChanges(labels, { env: "prod", tier: "web", wave: "1" })).toEqual({
    labels: { env: "prod", wave: "1" },
    removeLabels: ["old"],
  });
});

test("the newest jobs of each target, so many at most", () => {
  const jobs = ["a", "b", "a", "a"].map((targetUUID, index) => ({ targetUUID, jobId: `${index}` }));
  const found = byTarget(jobs as JobOutline[], 2);
  expect(found.get("a")?.map(({ jobId }) => jobId)).toEqual(["0", "2"]);
  expect(found.get("b")?.length).toBe(1);
  const next = byTarget([{ targetUUID: "b", jobId: "9" }, ...jobs] as JobOutline[], 2);
  const kept = keepEqual(next, found);
  expect(kept.get("a")).toBe(found.get("a"));
  expect(kept.get("b")?.map(({ jobId }) => jobId)).toEqual(["9", "1"]);
});
