import { expect, test } from "vitest";
import type { Job, Run } from "../api/types";
import { commandsOf } from "./commands";

const RUN = { runId: "r1" } as Run;
const JOB = { jobId: "j1", runId: "r1", podName: "krkn-job-j1" } as Job;

test("a run is got by command, by curl and by kubectl", () => {
  const lines = commandsOf(RUN, "http://127.0.0.1:8080", "krkn", false);
  expect(lines["Command line"]).toBe("KRKN_SERVER=127.0.0.1:8080 krkn-grpc runs get r1");
  expect(lines.curl).toBe("curl -s http://127.0.0.1:8080/api/v1/runs/r1");
  expect(lines.kubectl).toBe("kubectl -n krkn get kcr r1 -o yaml");
});

test("with authentication curl sends a token, by name", () => {
  const lines = commandsOf(JOB, "https://krkn.example", "krkn", true);
  expect(lines.curl).toBe(
    'curl -s -H "Authorization: Bearer $KRKN_TOKEN" https://krkn.example/api/v1/scenarios/run/j1',
  );
  expect(lines["Command line"]).toBe("KRKN_SERVER=https://krkn.example krkn-grpc jobs get j1");
  expect(lines.Pod).toContain("krkn-job-j1");
});
