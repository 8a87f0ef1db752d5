/** Names for the shapes of the OpenAPI document, which `make proto` writes to schema.d.ts. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Access = Schemas["Access"];
export type Run = Schemas["Run"];
export type RunCounts = Schemas["RunCounts"];
export type ReportedResult = Schemas["ReportedResult"];
export type Job = Schemas["Job"];
export type Target = Schemas["Target"];
export type Halt = Schemas["Halt"];
export type CreateTargetRequest = Schemas["CreateTargetRequest"];
export type PatchTargetRequest = Schemas["PatchTargetRequest"];
export type Scenario = Schemas["Scenario"];
export type ScenarioSummary = Schemas["ScenarioSummary"];
export type ScenarioField = Schemas["ScenarioField"];
export type ScenarioFile = Schemas["ScenarioFile"];
export type ListRunsResponse = Schemas["ListRunsResponse"];
export type ListScenarioRunsResponse = Schemas["ListScenarioRunsResponse"];
export type ListTargetsResponse = Schemas["ListTargetsResponse"];
export type RunScenarioRequest = Schemas["RunScenarioRequest"];
export type RunScenarioResponse = Schemas["RunScenarioResponse"];
export type RerunRunRequest = Schemas["RerunRunRequest"];
export type WatchScenarioRunsResponse = Schemas["WatchScenarioRunsResponse"];
export type WatchTargetsResponse = Schemas["WatchTargetsResponse"];
export type WatchError = Schemas["WatchError"];
