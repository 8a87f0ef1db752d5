/** Calls of the REST API: the only place of this page that speaks to the service. */
import { backoff, pause } from "./backoff";
import { ApiError, apiError, isAbort } from "./errors";
import { session } from "./session";

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface Options {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

const READ_ATTEMPTS = 4;
const REVISION = "krkn-revision";

/** A read sees the last write of this page: the service waits for this revision. */
let revision = "";

/** Return the path with a query; parts that are empty or undefined are left out. */
export function address(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? (value as readonly string[]) : [value]) {
      if (each !== undefined && each !== "" && each !== false)
        parameters.append(name, String(each));
    }
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

/** Read JSON. Tries again while the service is away or busy; raises ApiError. */
export async function get<T>(path: string, options: Options = {}): Promise<T> {
  const response = await persistently(() => open("GET", path, options), options.signal);
  return json<T>(response);
}

/** Write, once: `method` is POST, PUT, PATCH or DELETE. Raises ApiError. */
export async function write<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await open(method, path, options);
  revision = response.headers.get(REVISION) ?? revision;
  return json<T>(response);
}

async function json<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError("what answered is not the service, or its answer was cut", response.status);
  }
}

/** Start a call and return its reply with the body unread, for streams. Raises ApiError. */
export async function open(method: string, path: string, options: Options = {}): Promise<Response> {
  const { token } = session.get();
  const headers = new Headers();
  if (token) headers.set("authorization", `Bearer ${token}`);
  if (options.body !== undefined) headers.set("content-type", "application/json");
  if (method === "GET" && revision) headers.set(REVISION, revision);
  let response: Response;
  try {
    response = await fetch(address(path, options.query), {
      method,
      headers,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    if (isAbort(error) || options.signal?.aborted) throw error;
    throw new ApiError("the service does not answer", 0);
  }
  if (response.ok) return response;
  if (response.status === 401) session.refuse(token);
  throw apiError(response.status, response.headers, await response.text().catch(() => ""));
}

async function persistently<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ApiError) || !error.isTransient || failures >= READ_ATTEMPTS)
        throw error;
      await pause(backoff(failures, error.retryAfter), signal);
    }
  }
}

/** Read all pages of a list, at most `limit` entries; `field` is where its entries are. */
export async function all<F extends string, T>(
  path: string,
  field: F,
  options: Options = {},
  limit = 5000,
): Promise<T[]> {
  const entries: T[] = [];
  let pageToken = "";
  do {
    type Page = Record<F, T[]> & { nextPageToken: string };
    const query = { pageSize: Math.min(1000, limit - entries.length), ...options.query, pageToken };
    const page = await get<Page>(path, { ...options, query });
    entries.push(...page[field]);
    pageToken = page.nextPageToken;
  } while (pageToken && entries.length < limit);
  return entries;
}

/** Name a path's part: an id or a name from the service or from the address bar. */
export const part = encodeURIComponent;
