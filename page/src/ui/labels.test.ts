import { expect, test } from "vitest";
import { labelTexts } from "./labels";

test("labels are in the order of their keys, and an empty value has no sign", () => {
  expect(labelTexts({ wave: "1", env: "prod", canary: "" })).toEqual([
    "canary",
    "env=prod",
    "wave=1",
  ]);
});
