import { expect, test } from "vitest";
import { variableKey, violationsOf } from "./violations";

test("violations are found at the form's fields", () => {
  const found = violationsOf([
    { field: "environment[NAMESPACE]", description: "must match x" },
    { field: "secretEnvironment[KEY]", description: "is odd" },
    { field: "timeoutSeconds", description: "is too large" },
    { field: "files[0].mountPath", description: "is not absolute" },
    { field: "labels[a b]", description: "is no key" },
    { field: "nowhere", description: "is strange" },
  ]);
  expect(Object.fromEntries(found)).toEqual({
    [variableKey("NAMESPACE")]: "must match x",
    [variableKey("KEY")]: "is odd",
    timeoutSeconds: "is too large",
    files: "files[0].mountPath: is not absolute",
    labels: "labels[a b]: is no key",
    "": "nowhere: is strange",
  });
});
