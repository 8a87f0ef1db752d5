/**
 * A request as command line, JSON and curl, to copy. What is secret stands in none of them: secret
 * variables go by their names, from the shell's environment, and files by their names.
 */
import type { RunRequest } from "./draft";
import { command, quote } from "./shell";

/** Where the service is, and how it knows the caller. */
export interface Service {
  /** `http://127.0.0.1:8080`. */
  readonly origin: string;
  readonly isAuthenticated: boolean;
}

/** Stands in JSON where a secret has to be put in. */
const MASK = "***";

export function commandLine(request: RunRequest, targets: readonly string[], at: Service): string {
  const one = (option: string, value: string | number | undefined) =>
    value === undefined || value === "" ? [] : [[option, String(value)]];
  const pairs = (option: string, values: Readonly<Record<string, string>> = {}) =>
    Object.entries(values).map(([name, value]) => [option, `${name}=${value}`]);
  const options = [
    ...one("--image", request.scenarioImage),
    ...one("--kubeconfig-path", request.kubeconfigPath),
    ...targets.map((name) => ["--target", name]),
    ...pairs("--env", request.environment),
    ...Object.keys(request.secretEnvironment ?? {}).map((name) => ["--secret-env", name]),
    ...(request.files ?? []).map((file) => ["--file", `${file.name}:${file.mountPath}`]),
    ...one("--registry-url", request.registryUrl),
    ...one("--registry-username", request.username),
    ...one("--timeout", request.timeoutSeconds),
    ...one("--ttl", request.ttlSecondsAfterFinished),
    ...one("--queue-seconds", request.queueSeconds),
    ...(request.onBusy === "Refuse" ? [["--refuse-busy"]] : []),
    ...one("--max-parallel", request.maxParallel),
    ...one("--max-failures", request.maxFailures),
    ...(request.abortRunning ? [["--abort-running"]] : []),
    ...(request.abortOn ?? []).map((alert) => ["--abort-on", alert]),
    ...pairs("--label", request.labels),
    ...(request.requireReady ? [["--require-ready"]] : []),
  ];
  const server = at.origin.replace(/^http:\/\//, "");
  const first = `KRKN_SERVER=${quote(server)} krkn-grpc run ${quote(request.scenarioName ?? "")}`;
  return command(first, options);
}

export function json(request: RunRequest): string {
  return JSON.stringify(masked(request), null, 2);
}

export function curl(request: RunRequest, at: Service): string {
  const token = at.isAuthenticated ? [`-H "Authorization: Bearer $KRKN_TOKEN"`] : [];
  return [
    `curl -sS ${quote(`${at.origin}/api/v1/scenarios/run`)}`,
    ...token,
    "-H 'Content-Type: application/json'",
    `-d ${quote(json(request))}`,
  ].join(" \\\n  ");
}

/** The request without what is secret in it. */
export function masked(request: RunRequest): RunRequest {
  const { secretEnvironment, files, password, token } = request;
  const hidden = Object.keys(secretEnvironment ?? {}).map((name) => [name, MASK] as const);
  return {
    ...request,
    ...(secretEnvironment && { secretEnvironment: Object.fromEntries(hidden) }),
    ...(files && { files: files.map((file) => ({ ...file, content: MASK })) }),
    ...(password && { password: MASK }),
    ...(token && { token: MASK }),
  };
}

/** What of it has to be put in by hand, as a sentence; "" when nothing has. */
export function missing({ secretEnvironment, files, password }: RunRequest): string {
  const parts = [
    ...Object.keys(secretEnvironment ?? {}),
    ...(files ?? []).map(({ name }) => `the content of ${name}`),
    ...(password ? ["the registry's password"] : []),
  ];
  return parts.length > 0 ? `Not in it, because it is secret: ${parts.join(", ")}.` : "";
}
