import { expect, test } from "vitest";
import { apiError } from "./errors";

const HEADERS = new Headers({ "x-request-id": "abc", "retry-after": "3" });

test("an error of the API has its reason, its fields and its id", () => {
  const error = apiError(
    400,
    HEADERS,
    JSON.stringify({
      code: 3,
      message: "pageSize: is too large",
      details: [
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "INVALID_REQUEST" },
        {
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          fieldViolations: [{ field: "pageSize", description: "is too large", reason: "" }],
        },
      ],
    }),
  );
  expect(error).toMatchObject({
    message: "pageSize: is too large",
    reason: "INVALID_REQUEST",
    requestId: "abc",
    retryAfter: 3,
    isTransient: false,
  });
  expect(error.fields.map(({ field }) => field)).toEqual(["pageSize"]);
});

test.each(["", "<html>", "null", "[]", '{"message": 7, "details": {}}'])(
  "a reply %j that is not of the API says its status",
  (body) => {
    const error = apiError(502, new Headers(), body);
    expect(error.message).toBe("the service answered with status 502");
    expect(error.isTransient).toBe(true);
    expect(error.retryAfter).toBeUndefined();
  },
);

test("the time to wait may stand in the body alone", () => {
  const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "1.5s" }];
  const body = JSON.stringify({ message: "busy", details });
  expect(apiError(503, new Headers(), body).retryAfter).toBe(1.5);
});
