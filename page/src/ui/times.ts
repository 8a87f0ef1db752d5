/** Times for people. All take milliseconds since the epoch, or RFC 3339 as the API has it. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function millis(time: string | undefined): number | undefined {
  const value = Date.parse(time ?? "");
  return Number.isNaN(value) ? undefined : value;
}

/** `12s`, `2m ago`: how long a time is past; one that is not past yet, by another clock, is now. */
export function ago(then: number, now: number): string {
  const past = Math.max(0, now - then);
  if (past < 5 * SECOND) return "now";
  if (past < MINUTE) return `${Math.floor(past / SECOND)}s ago`;
  if (past < HOUR) return `${Math.floor(past / MINUTE)}m ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)}h ago`;
  return `${Math.floor(past / DAY)}d ago`;
}

/** `0:07`, `12:30`, `1:02:03`, `2d 3h`. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / SECOND));
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60] as const;
  const [hours, minutes, rest] = parts;
  const two = (value: number) => String(value).padStart(2, "0");
  if (hours >= 48) return `${Math.floor(hours / 24)}d ${hours % 24}h`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A number of seconds as it is said in a setting: `90 s`, `1 h`, `7 d`. */
export function seconds(value: number): string {
  for (const [unit, length] of [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
  ] as const) {
    if (value >= length && value % length === 0) return `${value / length} ${unit}`;
  }
  return `${value} s`;
}
