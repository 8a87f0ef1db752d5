/** Reads logs into buffers, to their end. */
import { backoff, pause } from "../api/backoff";
import { open, part, type Query } from "../api/client";
import { ApiError } from "../api/errors";
import { lines } from "../api/lines";
import { whileVisible } from "../api/visible";
import { MOST_LINES, type LogBuffer } from "./buffer";
import { plain, Resumption, timed, type LogLine } from "./line";

/** Of a log that has no ends of lines: as long as the longest line in the logs of a run. */
const LONGEST_LINE = 16 * 1024;

/** Which log: of one job, or of all jobs of a run, each line with its cluster in front. */
export type Source = { readonly jobId: string } | { readonly runId: string };

export function logPath(source: Source): string {
  return "jobId" in source
    ? `/api/v1/scenarios/run/${part(source.jobId)}/logs`
    : `/api/v1/runs/${part(source.runId)}/logs`;
}

/** Read a log until it ends or the signal aborts; never rejects. */
export async function follow(
  source: Source,
  buffer: LogBuffer,
  signal: AbortSignal,
): Promise<void> {
  const reader = "jobId" in source ? new JobReader(buffer) : new RunReader(buffer);
  const query = { follow: true, tailLines: MOST_LINES, ...reader.query };
  for (let failures = 0; ;) {
    try {
      let hasEnded = false;
      await whileVisible(signal, async (visible) => {
        const response = await open("GET", logPath(source), { query, signal: visible });
        reader.begin();
        buffer.from(response.headers.get("krkn-log") ?? "");
        buffer.state("following");
        for await (const some of lines(response.body!, LONGEST_LINE)) {
          failures = 0;
          reader.take(some);
        }
        hasEnded = true;
      });
      if (hasEnded) return buffer.state("ended");
    } catch (error) {
      if (signal.aborted) return;
      const failure = error instanceof ApiError ? error : new ApiError("the log was cut", 0);
      if (!failure.isTransient) return buffer.state("failed", failure);
      failures += 1;
      if (failures > 1) buffer.state("loading", failure);
      await pause(backoff(failures, failure.retryAfter), signal).catch(() => undefined);
      if (signal.aborted) return;
    }
  }
}

interface Reader {
  readonly query: Query;
  begin(): void;
  take(lines: readonly string[]): void;
}

/** Goes on after the last line when the log is read again, by the times of the lines. */
class JobReader implements Reader {
  readonly query = { timestamps: true };
  private readonly resumption = new Resumption();

  constructor(private readonly buffer: LogBuffer) {}

  begin(): void {
    this.resumption.begin();
  }

  take(lines: readonly string[]): void {
    this.buffer.append(lines.map(timed).filter((line) => this.resumption.isNew(line)));
  }
}

/** Starts anew when the logs are read again: nothing tells which of their lines are new. */
class RunReader implements Reader {
  readonly query = {};

  constructor(private readonly buffer: LogBuffer) {}

  begin(): void {
    this.buffer.clear();
  }

  take(lines: readonly string[]): void {
    this.buffer.append(lines.map((text): LogLine => ({ time: "", text: plain(text) })));
  }
}

/** Read the whole of a log as it is now, as a file. */
export async function wholeLog(source: Source): Promise<Blob> {
  const response = await open("GET", logPath(source));
  return response.blob();
}
