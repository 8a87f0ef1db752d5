/** Lines that do outside of this page what it shows. */
import type { Job, Run } from "../api/types";

export type Lines = Readonly<Record<string, string>>;

/** Say how to get at a run or a job; `origin` is the service's, `namespace` that of its resources. */
export function commandsOf(
  of: Run | Job,
  origin: string,
  namespace: string,
  isAuthenticated: boolean,
): Lines {
  const token = isAuthenticated ? ` -H "Authorization: Bearer $KRKN_TOKEN"` : "";
  const server = origin.replace(/^http:\/\//, "");
  const cli = `KRKN_SERVER=${server} krkn-grpc`;
  const kubectl = `kubectl -n ${namespace || "NAMESPACE"}`;
  if ("jobId" in of) {
    return {
      "Command line": `${cli} jobs get ${of.jobId}`,
      Log: `${cli} logs ${of.jobId} --follow`,
      curl: `curl -s${token} ${origin}/api/v1/scenarios/run/${of.jobId}`,
      kubectl: `${kubectl} get kcj ${of.jobId} -o yaml`,
      Pod: `${kubectl} describe pod ${of.podName}`,
      Events: `${kubectl} events --for krknchaosjob/${of.jobId}`,
    };
  }
  return {
    "Command line": `${cli} runs get ${of.runId}`,
    Watch: `${cli} runs watch ${of.runId}`,
    Logs: `${cli} runs logs ${of.runId} --follow`,
    Stop: `${cli} runs stop ${of.runId}`,
    "Rerun failed": `${cli} runs rerun ${of.runId} --failed`,
    curl: `curl -s${token} ${origin}/api/v1/runs/${of.runId}`,
    kubectl: `${kubectl} get kcr ${of.runId} -o yaml`,
    Jobs: `${kubectl} get kcj -l krkn-run-id=${of.runId}`,
  };
}
