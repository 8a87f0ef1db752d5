import { Table, Tbody, Th, Thead, Tr } from "@patternfly/react-table";
import styles from "@patternfly/react-styles/css/components/Table/table.mjs";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { scroller } from "../frame/scroller";

export interface Column<T> {
  readonly title: string;
  /** Its width on a wide screen, by a class `krkn-col-…`; those without one share the rest. */
  readonly size?: "xs" | "sm" | "md" | "lg";
  /** Without a visible title: for checkboxes and buttons. */
  readonly isHeadless?: boolean;
  readonly isNumber?: boolean;
  readonly cell: (entry: T) => ReactNode;
}

interface Props<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly entries: readonly T[];
  readonly entryKey: (entry: T) => string;
  readonly selected?: string | undefined;
  readonly onOpen?: ((entry: T) => void) | undefined;
}

/** Of a row until rows are drawn and measured; a card of a narrow screen is some five times that. */
const ROW_PIXELS = 38;

/** A table that draws the rows in sight only; on a narrow screen each row is a card. */
export function VirtualTable<T>(props: Props<T>) {
  const { label, columns, entries, entryKey, selected, onOpen } = props;
  const table = useRef<HTMLDivElement>(null);
  const [scrollMargin, setMargin] = useState(0);
  const [rowPixels, setRowPixels] = useState<number>();
  // Where the table begins in what scrolls: what is above it comes and goes with any drawing.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  useLayoutEffect(() => {
    const margin = offsetIn(table.current, scroller());
    if (Math.abs(margin - scrollMargin) > 1) setMargin(margin);
  });
  // eslint-disable-next-line react-hooks/incompatible-library -- its values stay in this component
  const rows = useVirtualizer({
    count: entries.length,
    getScrollElement: scroller,
    estimateSize: () => rowPixels ?? ROW_PIXELS,
    getItemKey: (index) => entryKey(entries[index]!),
    overscan: 8,
    scrollMargin,
  });
  const drawn = rows.getVirtualItems();
  // The first rows tell how high the others are, or the end of the table would move away from
  // whoever scrolls to it.
  if (rowPixels === undefined && drawn.some(({ size }) => size !== ROW_PIXELS)) {
    setRowPixels(mean(drawn.map(({ size }) => size)));
  }
  const above = Math.max(0, (drawn[0]?.start ?? scrollMargin) - scrollMargin);
  const below = Math.max(0, rows.getTotalSize() + scrollMargin - (drawn.at(-1)?.end ?? 0));
  return (
    <div ref={table}>
      <Table
        aria-label={label}
        role="table"
        aria-rowcount={entries.length + 1}
        variant="compact"
        className="krkn-table"
      >
        <colgroup>
          {columns.map(({ title, size }) => (
            <col key={title} className={size ? `krkn-col-${size}` : ""} />
          ))}
        </colgroup>
        <Thead>
          <Tr aria-rowindex={1}>
            {columns.map(({ title, isHeadless, isNumber }) => (
              <Th
                key={title}
                {...(isHeadless ? { screenReaderText: title } : {})}
                className={isNumber ? "krkn-right" : ""}
              >
                {isHeadless ? undefined : title}
              </Th>
            ))}
          </Tr>
        </Thead>
        <Tbody>
          <Space height={above} columns={columns.length} />
          {drawn.map(({ index, key }) => {
            const entry = entries[index];
            if (entry === undefined) return null;
            return (
              <Row
                key={key}
                index={index}
                measure={rows.measureElement}
                columns={columns as readonly Column<unknown>[]}
                entry={entry}
                isSelected={entryKey(entry) === selected}
                onOpen={onOpen as ((entry: unknown) => void) | undefined}
              />
            );
          })}
          <Space height={below} columns={columns.length} />
        </Tbody>
      </Table>
    </div>
  );
}

function Space({ height, columns }: { readonly height: number; readonly columns: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" className="krkn-space">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}

interface RowProps {
  readonly index: number;
  readonly measure: (element: HTMLElement | null) => void;
  readonly columns: readonly Column<unknown>[];
  readonly entry: unknown;
  readonly isSelected: boolean;
  readonly onOpen: ((entry: unknown) => void) | undefined;
}

const { modifiers } = styles;

/**
 * Drawn again only when its entry is another object: a watch keeps those that do not change.
 *
 * PatternFly's Tr and Td without their components, which cost more than half of a frame in a fast
 * scroll.
 */
const Row = memo(function Row(props: RowProps) {
  const { index, measure, columns, entry, isSelected, onOpen } = props;
  const clickable = onOpen ? modifiers.clickable : "";
  return (
    <tr
      ref={measure}
      data-index={index}
      aria-rowindex={index + 2}
      className={`${styles.tableTr} ${clickable} ${isSelected ? modifiers.selected : ""}`}
      onClick={(event) => {
        if (!isOnControl(event.target)) onOpen?.(entry);
      }}
    >
      {columns.map(({ title, isHeadless, isNumber, cell }) => (
        <td
          key={title}
          {...(isHeadless ? {} : { "data-label": title })}
          className={`${styles.tableTd} ${isNumber ? "krkn-right" : ""}`}
        >
          {cell(entry)}
        </td>
      ))}
    </tr>
  );
});

/** Whether a click is meant for something in the row, or marks text. */
function isOnControl(target: EventTarget): boolean {
  if (!(target instanceof Element)) return false;
  const isText = (window.getSelection()?.toString() ?? "") !== "";
  return isText || target.closest("a, button, input, label, [role=menu]") !== null;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function offsetIn(element: HTMLElement | null, container: HTMLElement | null): number {
  if (!element || !container) return 0;
  const top = element.getBoundingClientRect().top - container.getBoundingClientRect().top;
  return Math.round(top + container.scrollTop);
}
