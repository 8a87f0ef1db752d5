/** Files for the container. */
import type { ScenarioFile } from "../api/types";

/** All files of a run together, once decoded: the service's limit. */
export const FILES_BYTES = 256 * 1024;

/** Read a file of the user's; raises an error that says why not. */
export async function read(file: File, mountPath: string): Promise<ScenarioFile> {
  return { name: file.name, content: await base64(file), mountPath };
}

export async function base64(file: File): Promise<string> {
  if (file.size > FILES_BYTES) throw new Error(`${file.name} is larger than 256 KiB`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
