/**
 * Entries that a watch keeps fresh, for React: each keeps its identity until it changes, so only
 * what has changed is drawn again.
 */
import type { ApiError } from "./errors";
import type { Watched } from "./watch";

export interface Snapshot<T> {
  readonly entries: ReadonlyMap<string, T>;
  /** All that there is has been read once. */
  readonly isSynced: boolean;
  /** Why the watch does not run; undefined while it does. */
  readonly error: ApiError | undefined;
}

/** How long changes are gathered: a run of 1,000 jobs changes hundreds of times in a second. */
const GATHER_MILLISECONDS = 150;

export class Collection<T> implements Watched<T> {
  private readonly entries = new Map<string, T>();
  private isSynced = false;
  private error: ApiError | undefined;
  private snapshot: Snapshot<T> = { entries: new Map(), isSynced: false, error: undefined };
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly key: (entry: T) => string,
    private readonly gatherMilliseconds = GATHER_MILLISECONDS,
  ) {}

  readonly get = (): Snapshot<T> => this.snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  replace(entries: readonly T[]): void {
    this.entries.clear();
    this.isSynced = true;
    this.put(entries);
    this.publish();
  }

  put(entries: readonly T[]): void {
    for (const entry of entries) this.entries.set(this.key(entry), entry);
    this.changed();
  }

  remove(entries: readonly T[]): void {
    for (const entry of entries) this.entries.delete(this.key(entry));
    this.changed();
  }

  state(error: ApiError | undefined): void {
    this.error = error;
    this.publish();
  }

  private changed(): void {
    this.timer ??= setTimeout(() => this.publish(), this.gatherMilliseconds);
  }

  private publish(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { isSynced, error } = this;
    this.snapshot = { entries: new Map(this.entries), isSynced, error };
    this.listeners.forEach((each) => each());
  }
}
