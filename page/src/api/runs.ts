/** Reads and writes of runs and jobs. */
import { ApiError } from "./errors";
import { all, get, part, write } from "./client";
import type { Job, RerunRunRequest, Run, RunScenarioRequest, RunScenarioResponse } from "./types";

const RUNS = "/api/v1/runs";
const JOBS = "/api/v1/scenarios/run";

/** The newest runs that pass the filters, newest first. */
export function listRuns(query: Record<string, string>, limit: number, signal?: AbortSignal) {
  return all<"runs", Run>(RUNS, "runs", { query, signal }, limit);
}

/** The newest jobs that pass the filters, newest first. */
export function listJobs(query: Record<string, string>, limit: number, signal?: AbortSignal) {
  return all<"jobs", Job>(JOBS, "jobs", { query, signal }, limit);
}

export function getRun(runId: string, signal?: AbortSignal): Promise<Run> {
  return get(`${RUNS}/${part(runId)}`, { signal });
}

export function stopRun(runId: string): Promise<Run> {
  return write("DELETE", `${RUNS}/${part(runId)}`);
}

export function stopJob(jobId: string): Promise<Job> {
  return write("DELETE", `${JOBS}/${part(jobId)}`);
}

export function rerunRun(runId: string, body: Partial<RerunRunRequest>) {
  return started("POST", `${RUNS}/${part(runId)}:rerun`, body);
}

export function runScenario(body: RunScenarioRequest) {
  return started("POST", JOBS, body);
}

/** Where no target got a job, the reply is that of a run, with status 500. */
async function started(method: string, path: string, body: unknown): Promise<RunScenarioResponse> {
  try {
    return await write<RunScenarioResponse>(method, path, { body });
  } catch (error) {
    if (error instanceof ApiError && isReply(error.body)) return error.body;
    throw error;
  }
}

function isReply(body: unknown): body is RunScenarioResponse {
  return typeof body === "object" && body !== null && "jobs" in body && "totalTargets" in body;
}

export const isFinal = (status: string) =>
  ["Succeeded", "PartiallyFailed", "Failed", "Stopped"].includes(status);
