import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useLayoutEffect, useRef } from "react";
import type { LogSnapshot } from "./buffer";
import { cutAt, type LogLine } from "./line";

export interface View {
  /** In lower case; empty: nothing is looked for. */
  readonly find: string;
  readonly isWrapped: boolean;
  readonly hasTimes: boolean;
}

interface Props {
  readonly label: string;
  readonly log: LogSnapshot;
  readonly view: View;
  /** Stays at the end while lines come. */
  readonly isFollowing: boolean;
  readonly onFollow: (isFollowing: boolean) => void;
  /** The line that was found last, by its index; it is brought into sight. */
  readonly current: number | undefined;
}

const LINE_PIXELS = 20;

/** The lines in sight of a log; text and nothing else. */
export function LogLines({ label, log, view, isFollowing, onFollow, current }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const dropped = useRef(log.dropped);
  // eslint-disable-next-line react-hooks/incompatible-library -- its values stay in this component
  const rows = useVirtualizer({
    count: log.lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PIXELS,
    getItemKey: (index) => log.dropped + index,
    overscan: 20,
  });
  useLayoutEffect(() => {
    if (isFollowing && log.lines.length > 0) {
      rows.scrollToIndex(log.lines.length - 1, { align: "end" });
    } else if (box.current && log.dropped > dropped.current) {
      // What is read stays where it is while lines before it go.
      box.current.scrollTop -= (log.dropped - dropped.current) * LINE_PIXELS;
    }
    dropped.current = log.dropped;
  }, [log, isFollowing, view.isWrapped, rows]);
  useEffect(() => {
    if (current !== undefined) rows.scrollToIndex(current, { align: "center" });
  }, [current, rows]);
  const look = () => {
    const { scrollTop = 0, clientHeight = 0, scrollHeight = 0 } = box.current ?? {};
    return scrollHeight - scrollTop - clientHeight < 2 * LINE_PIXELS;
  };
  return (
    <div
      ref={box}
      className={`krkn-log ${view.isWrapped ? "krkn-wrapped" : ""}`}
      role="log"
      aria-live="off"
      aria-label={label}
      tabIndex={0}
      onWheel={(event) => {
        if (event.deltaY < 0) onFollow(false);
      }}
      onKeyDown={(event) => {
        if (["ArrowUp", "PageUp", "Home"].includes(event.key)) onFollow(false);
      }}
      onScroll={() => {
        if (!isFollowing && look()) onFollow(true);
      }}
    >
      <div className="krkn-log-lines" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, key, start }) => (
          <div
            key={key}
            ref={rows.measureElement}
            data-index={index}
            className={`krkn-log-line ${index === current ? "krkn-current" : ""}`}
            style={{ transform: `translateY(${start}px)` }}
          >
            <Line line={log.lines[index]!} find={view.find} hasTime={view.hasTimes} />
          </div>
        ))}
      </div>
    </div>
  );
}

interface LineProps {
  readonly line: LogLine;
  readonly find: string;
  readonly hasTime: boolean;
}

const Line = memo(function Line({ line, find, hasTime }: LineProps) {
  return (
    <>
      {hasTime && line.time && <span className="krkn-log-time">{line.time} </span>}
      {cutAt(line.text, find).map((text, index) =>
        index % 2 === 1 ? <mark key={index}>{text}</mark> : text,
      )}
    </>
  );
});
