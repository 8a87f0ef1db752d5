/** Writes of targets; all raise ApiError. */
import { part, write } from "../api/client";
import type { CreateTargetRequest, PatchTargetRequest, Target } from "../api/types";

const TARGETS = "/api/v1/operator/targets";

export function createTarget(body: Partial<CreateTargetRequest>) {
  return write<{ uuid: string }>("POST", TARGETS, { body });
}

export function patchTarget(uuid: string, body: Partial<PatchTargetRequest>) {
  return write<Target>("PATCH", `${TARGETS}/${part(uuid)}`, { body });
}

export function deleteTarget(uuid: string) {
  return write("DELETE", `${TARGETS}/${part(uuid)}`);
}

/** Ask for a check of the cluster now; the watch tells what came of it. */
export function checkTarget(uuid: string) {
  return write<Target>("POST", `${TARGETS}/${part(uuid)}:check`);
}
