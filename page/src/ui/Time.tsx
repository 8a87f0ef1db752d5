import { useSyncExternalStore } from "react";
import { ago, millis, span } from "./times";

/** One clock for all that tells how long something is past: it ticks each second. */
const clock = {
  now: Date.now(),
  listeners: new Set<() => void>(),
  timer: undefined as ReturnType<typeof setInterval> | undefined,

  subscribe: (listener: () => void): (() => void) => {
    clock.listeners.add(listener);
    clock.timer ??= setInterval(() => {
      clock.now = Date.now();
      clock.listeners.forEach((each) => each());
    }, 1000);
    return () => {
      clock.listeners.delete(listener);
      if (clock.listeners.size > 0) return;
      clearInterval(clock.timer);
      clock.timer = undefined;
    };
  },
};

function useText(text: (now: number) => string): string {
  // The text, not the time: a text that stays is not drawn again.
  return useSyncExternalStore(clock.subscribe, () => text(clock.now));
}

interface AgoProps {
  readonly time: string | undefined;
}

/** How long a time is past, with the time itself as a tooltip. */
export function Ago({ time }: AgoProps) {
  const then = millis(time);
  const text = useText((now) => (then === undefined ? "" : ago(then, now)));
  if (then === undefined) return <span className="krkn-faint">–</span>;
  return (
    <time dateTime={time} title={new Date(then).toLocaleString()} className="krkn-nowrap">
      {text}
    </time>
  );
}

interface ElapsedProps {
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Whether it may go on without an end. */
  readonly isOver: boolean;
}

/** How long something took, or takes already. */
export function Elapsed({ from, to, isOver }: ElapsedProps) {
  const start = millis(from);
  const end = millis(to);
  const text = useText((now) => {
    if (start === undefined || (end === undefined && isOver)) return "–";
    return span((end ?? now) - start);
  });
  return <span className="krkn-number">{text}</span>;
}
