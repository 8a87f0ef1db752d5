/**
 * Runs a scenario on all targets that a label selector selects, waits for its end, and prints what
 * became of it on each:
 *
 *     quickstart [SELECTOR [IMAGE]]
 *
 * Exits with 1 unless it succeeded on all of them. KRKN_SERVER is the address of the service,
 * host:port or a URL (default 127.0.0.1:8080), KRKN_TOKEN the caller's token.
 *
 * The transport is gRPC-Web over fetch: all but the first and the last lines run in a browser too.
 */
import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { ScenarioRunService } from "@krkn-chaos/krkn-grpc/v1/scenario_runs_pb";
import { TargetService } from "@krkn-chaos/krkn-grpc/v1/targets_pb";

const [selector = "", scenarioImage = "quay.io/krkn-chaos/krkn-hub:pod-scenarios"] =
  process.argv.slice(2);
const { KRKN_SERVER: server = "127.0.0.1:8080", KRKN_TOKEN: token } = process.env;

const authorize: Interceptor = (next) => (request) => {
  if (token) request.header.set("authorization", `Bearer ${token}`);
  return next(request);
};
const transport = createGrpcWebTransport({
  baseUrl: server.includes("://") ? server : `http://${server}`,
  interceptors: [authorize],
});
const targets = createClient(TargetService, transport);
const runs = createClient(ScenarioRunService, transport);

const names = new Map<string, string>();
let pageToken = "";
do {
  const page = await targets.listTargets({ labelSelector: selector, pageToken });
  for (const target of page.targets) names.set(target.uuid, target.clusterName);
  pageToken = page.nextPageToken;
} while (pageToken);

const started = await runs.runScenario({
  requestId: crypto.randomUUID(), // a retry with this id starts nothing twice
  targetUuids: [...names.keys()],
  scenarioName: "pod-scenarios",
  scenarioImage,
});
const waiting = new Set<string>();
for (const job of started.jobs) {
  if (job.success) waiting.add(job.jobId);
  else console.log(names.get(job.targetUuid), "refused:", job.error);
}

let succeeded = 0;
const final = ["Succeeded", "Failed", "Stopped"];
if (waiting.size > 0) {
  for await (const { job, error } of runs.watchScenarioRuns({ runId: started.runId })) {
    if (error) throw new Error(`the watch ended: ${error.message}`);
    if (!job || !final.includes(job.status) || !waiting.delete(job.jobId)) continue;
    console.log(names.get(job.targetUuid), job.status, job.exitCode ?? 0);
    if (job.status === "Succeeded") succeeded += 1;
    if (waiting.size === 0) break; // ends the stream
  }
}
process.exitCode = succeeded === started.jobs.length ? 0 : 1;
