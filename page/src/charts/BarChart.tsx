import { ExpandableSection } from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { theme } from "../frame/theme";
import { draw, type Bars } from "./chart";

interface Props {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  /** The title of the first column of the same as a table. */
  readonly head: string;
  readonly bars: Bars;
}

/** Bars, and the same as a table. */
export function BarChart({ label, head, bars }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const isDark = useSyncExternalStore(theme.subscribe, theme.isDark);
  // The colours are read when it is drawn.
  useEffect(() => draw(canvas.current!, bars), [bars, isDark]);
  const { labels, series } = bars;
  return (
    <>
      <div className="krkn-chart">
        <canvas ref={canvas} role="img" aria-label={label} />
      </div>
      <ExpandableSection toggleText="As a table">
        <Table aria-label={label} variant="compact">
          <Thead>
            <Tr>
              <Th>{head}</Th>
              {series.map(({ title }) => (
                <Th key={title}>{title}</Th>
              ))}
            </Tr>
          </Thead>
          <Tbody>
            {labels.map((each, index) => (
              <Tr key={each}>
                <Td dataLabel={head}>{each}</Td>
                {series.map(({ title, values }) => (
                  <Td key={title} dataLabel={title}>
                    {values[index]}
                  </Td>
                ))}
              </Tr>
            ))}
          </Tbody>
        </Table>
      </ExpandableSection>
    </>
  );
}
