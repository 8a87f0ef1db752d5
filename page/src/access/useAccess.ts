/** What the caller may do, as AccessService says it. */
import { createContext, useContext } from "react";
import { get } from "../api/client";
import { ApiError } from "../api/errors";
import type { Access as AccessReply } from "../api/types";

export interface Access {
  /** The caller's name; empty where callers are not authenticated. */
  readonly user: string;
  /** Of the service's resources; empty if it is not known. */
  readonly namespace: string;
  /** Whether the service has said it. */
  readonly isKnown: boolean;
  /** Whether the caller may `verb` objects of `resource`, such as create krknchaosjobs. */
  readonly may: (verb: string, resource: string) => boolean;
}

export const NOTHING: Access = { user: "", namespace: "", isKnown: false, may: () => false };
const EVERYTHING: Access = { ...NOTHING, may: () => true };

/** Of one query for the whole page: each row of a table asks. */
export const AccessContext = createContext<Access>(NOTHING);

/** Say what the caller may do; nothing until it is known. */
export function useAccess(): Access {
  return useContext(AccessContext);
}

/** Say why a control is disabled. */
export function whyNot(verb: string, resource: string): string {
  return `You may not: the right to ${verb} ${resource} is missing.`;
}

export async function readAccess(signal: AbortSignal): Promise<Access> {
  try {
    return accessOf(await get<AccessReply>("/api/v1/access", { signal }));
  } catch (error) {
    // A service without this call: each refusal is shown when it comes.
    if (error instanceof ApiError && error.status === 404) return EVERYTHING;
    throw error;
  }
}

export function accessOf({ user, allowed, namespace }: AccessReply): Access {
  const rights = new Set(allowed.map(({ verb, resource }) => `${verb} ${resource}`));
  return {
    user,
    namespace,
    isKnown: true,
    may: (verb, resource) => rights.has(`${verb} ${resource}`),
  };
}
