import { expect, test } from "vitest";
import { accessOf } from "./useAccess";

test("only what is listed is allowed", () => {
  const access = accessOf({
    user: "ci",
    namespace: "krkn",
    allowed: [{ verb: "create", resource: "krknchaosjobs" }],
  });
  expect(access.user).toBe("ci");
  expect(access.namespace).toBe("krkn");
  expect(access.may("create", "krknchaosjobs")).toBe(true);
  expect(access.may("update", "krknchaosjobs")).toBe(false);
  expect(access.may("create", "krknchaoshalts")).toBe(false);
});
