/** Lines of logs: what a scenario has written, which may be anything. */

export interface LogLine {
  /** When it was written, RFC 3339; empty when that is not known. */
  readonly time: string;
  readonly text: string;
}

const COLOURS = /\u001b\[[0-9;:?]*[ -/]*[@-~]/g;
/** What moves the cursor, and what turns the direction of text so that it reads as another. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Make text that shows what is in it: without colours, other control characters as U+FFFD. */
export function plain(text: string): string {
  return text.replace(/\r$/, "").replace(COLOURS, "").replace(CONTROLS, "\uFFFD");
}

/** Read a line that has its time in front of it. */
export function timed(line: string): LogLine {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) ?/.exec(line);
  if (!match) return { time: "", text: plain(line) };
  return { time: match[1]!, text: plain(line.slice(match[0].length)) };
}

/** Make a time that compares as text: with nine digits of the second's fraction. */
export function comparable(time: string): string {
  const match = /^([^.Z+]*)(?:\.(\d+))?/.exec(time);
  return `${match?.[1] ?? ""}.${(match?.[2] ?? "").padEnd(9, "0")}`;
}

/**
 * Says which lines of a log are new when it is read once more.
 *
 * Those up to the last one that was read are old, or up to one that is later than all of them: the
 * last one may be gone meanwhile. Lines need not be in the order of their times, because both
 * streams of a container are written at once.
 */
export class Resumption {
  private last: LogLine | undefined;
  /** How many lines at the end were just like the last one. */
  private count = 0;
  private latest = "";
  private skipped = 0;
  private isSkipping = false;

  /** Note that the log is read from its beginning, or from its tail, again. */
  begin(): void {
    this.isSkipping = this.last !== undefined;
    this.skipped = 0;
  }

  /** Whether a line was not there before. */
  isNew(line: LogLine): boolean {
    const key = comparable(line.time);
    const isLast = line.time === this.last?.time && line.text === this.last.text;
    if (this.isSkipping && key <= this.latest) {
      if (isLast) this.skipped += 1;
      this.isSkipping = this.skipped < this.count;
      return false;
    }
    this.isSkipping = false;
    this.count = isLast ? this.count + 1 : 1;
    this.last = line;
    if (key > this.latest) this.latest = key;
    return true;
  }
}

/** Cut a line where `found` stands in it: every second part, from the second on, is `found`. */
export function cutAt(text: string, found: string): string[] {
  if (!found) return [text];
  const parts: string[] = [];
  const lower = text.toLowerCase();
  // Lower case may be longer than upper case: then places in both differ.
  if (lower.length !== text.length) return [text];
  let from = 0;
  for (let at = lower.indexOf(found); at >= 0; at = lower.indexOf(found, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + found.length));
    from = at + found.length;
  }
  parts.push(text.slice(from));
  return parts;
}
