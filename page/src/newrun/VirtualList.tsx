import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, type ReactNode } from "react";

interface Props<T> {
  readonly label: string;
  readonly entries: readonly T[];
  readonly entryKey: (entry: T) => string;
  readonly row: (entry: T) => ReactNode;
}

const ROW_PIXELS = 36;

/** A list in a box that scrolls by itself; it draws the rows in sight only. */
export function VirtualList<T>({ label, entries, entryKey, row }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library -- its values stay in this component
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PIXELS,
    getItemKey: (index) => entryKey(entries[index]!),
    overscan: 10,
  });
  return (
    // Whoever scrolls by keyboard has to get into it, also where no row can be ticked.
    <div ref={box} className="krkn-box" tabIndex={0} role="region" aria-label={label}>
      <ul className="krkn-rows" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, key, start }) => (
          <li
            key={key}
            data-index={index}
            ref={rows.measureElement}
            aria-setsize={entries.length}
            aria-posinset={index + 1}
            style={{ transform: `translateY(${start}px)` }}
          >
            {row(entries[index]!)}
          </li>
        ))}
      </ul>
    </div>
  );
}
