import { Card, CardBody, CardTitle } from "@patternfly/react-core";
import type { ReactNode } from "react";

interface Props {
  readonly number?: number;
  readonly title: string;
  readonly children: ReactNode;
}

/** A part of the form, with its number on the way through it. */
export function Section({ number, title, children }: Props) {
  return (
    <Card isCompact component="section" aria-label={title}>
      <CardTitle component="h2">
        {number !== undefined && <span className="krkn-step">{number}</span>}
        {title}
      </CardTitle>
      <CardBody className="krkn-section">{children}</CardBody>
    </Card>
  );
}
