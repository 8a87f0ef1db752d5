/** Watches: streams of JSON lines that say what there is and then each change. */
import { backoff, pause } from "./backoff";
import { open, type Query } from "./client";
import { ApiError } from "./errors";
import { lines } from "./lines";
import { whileVisible } from "./visible";

/** What the messages of all watches have; the entry stands under another name in each. */
interface Message {
  readonly type: string;
  readonly resumeToken: string;
  readonly error?: { readonly code: number; readonly message: string };
}

export interface Watched<T> {
  /** All that there is, at the start and after a gap: it replaces what was known. */
  replace(entries: readonly T[]): void;
  /** Some of it is new or changed. */
  put(entries: readonly T[]): void;
  /** Some of it is gone. */
  remove(entries: readonly T[]): void;
  /** The stream is open (no error), or the reason why it is not. */
  state(error: ApiError | undefined): void;
}

const OUT_OF_RANGE = 11;
const PERMISSION_DENIED = 7;

/** Watch until the signal aborts; never rejects. The stream is closed while the tab is hidden. */
export async function watch<M extends Message, T>(
  path: string,
  query: Query,
  entry: (message: M) => T | undefined,
  watched: Watched<T>,
  signal: AbortSignal,
): Promise<void> {
  const reader = new Reader<M, T>(path, query, entry, watched);
  for (let failures = 0; !signal.aborted;) {
    try {
      await whileVisible(signal, (visible) => reader.read(visible, () => (failures = 0)));
    } catch (error) {
      if (signal.aborted) return;
      const failure = error instanceof ApiError ? error : new ApiError("the stream was cut", 0);
      failures += 1;
      // One cut is usual, after a restart for example, and is not worth a word.
      if (failures > 1 || !failure.isTransient) watched.state(failure);
      if (isFinal(failure)) return;
      await pause(backoff(failures, failure.retryAfter), signal).catch(() => undefined);
    }
  }
}

/** Whether to give up: the caller may not, or the filters are wrong. */
function isFinal(error: ApiError): boolean {
  return !error.isTransient && error.status >= 400 && error.status < 500;
}

class Reader<M extends Message, T> {
  private resumeToken = "";
  /** What came before SYNCED; undefined after it. */
  private first: T[] | undefined;

  constructor(
    private readonly path: string,
    private readonly query: Query,
    private readonly entry: (message: M) => T | undefined,
    private readonly watched: Watched<T>,
  ) {}

  async read(signal: AbortSignal, isOpen: () => void): Promise<void> {
    if (!this.resumeToken) this.first = [];
    const query = { ...this.query, resumeToken: this.resumeToken };
    const response = await this.open(query, signal);
    this.watched.state(undefined);
    for await (const some of lines(response.body!)) {
      isOpen();
      this.take(some.filter(Boolean).map((line) => JSON.parse(line) as M));
    }
    throw new ApiError("the stream was cut", 0);
  }

  private async open(query: Query, signal: AbortSignal): Promise<Response> {
    try {
      return await open("GET", this.path, { query, signal });
    } catch (error) {
      if (!(error instanceof ApiError) || error.reason !== "TOKEN_TOO_OLD") throw error;
      this.startAnew();
      throw new ApiError(error.message, 0);
    }
  }

  private startAnew(): void {
    this.resumeToken = "";
    this.first = [];
  }

  /** Hand messages on, as few calls as keep their order. */
  private take(messages: readonly M[]): void {
    let changed: T[] = [];
    const flush = () => {
      if (changed.length > 0) this.watched.put(changed);
      changed = [];
    };
    for (const message of messages) {
      if (message.type === "ERROR") {
        flush();
        this.fail(message);
      }
      const entry = this.entry(message);
      if (message.type === "SYNCED") {
        this.watched.replace(this.first ?? []);
        this.first = undefined;
      } else if (entry !== undefined && this.first !== undefined) {
        if (message.type !== "DELETED") this.first.push(entry);
      } else if (entry !== undefined && message.type === "DELETED") {
        flush();
        this.watched.remove([entry]);
      } else if (entry !== undefined) {
        changed.push(entry);
      }
      // Before SYNCED there is nothing to resume: what came is not shown yet.
      if (this.first === undefined) this.resumeToken = message.resumeToken;
    }
    flush();
  }

  private fail(message: M): never {
    const { code, message: text } = message.error ?? { code: 0, message: "the stream was cut" };
    if (code === OUT_OF_RANGE) this.startAnew();
    throw new ApiError(text, code === PERMISSION_DENIED ? 403 : 0);
  }
}
