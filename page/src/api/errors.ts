/** Errors of the API, as docs/errors.md has them. */

export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** A refusal of the service, or of the proxy before it. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** The ErrorInfo's reason, such as `NOT_FOUND`; empty when the answer had none. */
    readonly reason = "",
    readonly fields: readonly FieldViolation[] = [],
    /** Seconds to wait before the call may be sent again unchanged; undefined: it may not. */
    readonly retryAfter: number | undefined = undefined,
    readonly requestId = "",
    /** The reply's JSON, if it was JSON. */
    readonly body: unknown = undefined,
  ) {
    super(message);
  }

  /** Whether the same read may succeed a little later. */
  get isTransient(): boolean {
    return this.status === 0 || [429, 502, 503, 504].includes(this.status);
  }
}

interface Detail {
  readonly "@type"?: string;
  readonly reason?: string;
  readonly retryDelay?: string;
  readonly fieldViolations?: readonly FieldViolation[];
}

/** Read an error reply; one that is not in the API's form says its HTTP status. */
export function apiError(status: number, headers: Headers, body: string): ApiError {
  const json = parsed(body);
  const { message, details } = fieldsOf(json);
  const of = (type: string) => details.find((each) => each["@type"]?.endsWith(`.${type}`));
  return new ApiError(
    message || `the service answered with status ${status}`,
    status,
    of("ErrorInfo")?.reason ?? "",
    of("BadRequest")?.fieldViolations ?? [],
    seconds(headers.get("retry-after")) ?? seconds(of("RetryInfo")?.retryDelay),
    headers.get("x-request-id") ?? "",
    json,
  );
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function fieldsOf(json: unknown): { message: string; details: readonly Detail[] } {
  const { message, details } = (json ?? {}) as { message?: unknown; details?: unknown };
  return {
    message: typeof message === "string" ? message : "",
    details: Array.isArray(details) ? (details as Detail[]) : [],
  };
}

/** Read `12` or `1.5s`; a date, which retry-after may also be, is ignored. */
function seconds(text: string | null | undefined): number | undefined {
  const value = Number.parseFloat(text ?? "");
  return /^[\d.]+s?$/.test(text ?? "") && Number.isFinite(value) ? value : undefined;
}

/** Say what went wrong, for people. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError || error instanceof Error) return error.message;
  return String(error);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
