/** The last lines of a log, for React: at most so many, however long it is. */
import type { ApiError } from "../api/errors";
import type { LogLine } from "./line";

export const MOST_LINES = 5000;
const GATHER_MILLISECONDS = 100;

export interface LogSnapshot {
  readonly lines: readonly LogLine[];
  /** How many lines were read and are not kept any more. */
  readonly dropped: number;
  readonly state: "loading" | "following" | "ended" | "failed";
  readonly error: ApiError | undefined;
  /** `kept` of a log that was kept of a pod that is gone, `kept, truncated` of its end. */
  readonly kept: string;
}

export class LogBuffer {
  private lines: LogLine[] = [];
  private dropped = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private snapshot: LogSnapshot = {
    lines: [],
    dropped: 0,
    state: "loading",
    error: undefined,
    kept: "",
  };
  private readonly listeners = new Set<() => void>();

  constructor(private readonly most = MOST_LINES) {}

  readonly get = (): LogSnapshot => this.snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  append(lines: readonly LogLine[]): void {
    if (lines.length === 0) return;
    for (const line of lines) this.lines.push(line);
    // Not each time: to cut the front of an array moves the rest of it.
    if (this.lines.length > this.most * 1.2) this.cut();
    this.timer ??= setTimeout(() => this.publish(), GATHER_MILLISECONDS);
  }

  clear(): void {
    this.lines = [];
    this.dropped = 0;
    this.publish();
  }

  state(state: LogSnapshot["state"], error?: ApiError): void {
    this.snapshot = { ...this.snapshot, state, error };
    this.publish();
  }

  /** Say where the log comes from. */
  from(kept: string): void {
    this.snapshot = { ...this.snapshot, kept };
  }

  private cut(): void {
    const surplus = this.lines.length - this.most;
    if (surplus <= 0) return;
    this.lines = this.lines.slice(surplus);
    this.dropped += surplus;
  }

  private publish(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.cut();
    this.snapshot = { ...this.snapshot, lines: [...this.lines], dropped: this.dropped };
    this.listeners.forEach((each) => each());
  }
}
