import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from "@patternfly/react-core";
import type { ReactNode } from "react";
import { sorted } from "./labels";

interface Props {
  /** What there is to know, by its title; entries without a value are left out. */
  readonly facts: Readonly<Record<string, ReactNode>>;
  readonly isWide?: boolean;
}

/** Names and values. */
export function Facts({ facts, isWide = false }: Props) {
  return (
    <DescriptionList
      isCompact
      isHorizontal
      className="krkn-facts"
      {...(isWide ? { columnModifier: { lg: "2Col" } } : {})}
    >
      {Object.entries(facts)
        .filter(([, value]) => value !== undefined && value !== "" && value !== null)
        .map(([title, value]) => (
          <DescriptionListGroup key={title}>
            <DescriptionListTerm>{title}</DescriptionListTerm>
            <DescriptionListDescription className="krkn-wrap">{value}</DescriptionListDescription>
          </DescriptionListGroup>
        ))}
    </DescriptionList>
  );
}

/** Variables or labels by name, one on a line; undefined when there are none. */
export function pairs(values: Readonly<Record<string, string>>): ReactNode {
  const entries = sorted(values);
  if (entries.length === 0) return undefined;
  return (
    <ul className="krkn-pairs">
      {entries.map(([name, value]) => (
        <li key={name}>
          <code>
            {name}={value}
          </code>
        </li>
      ))}
    </ul>
  );
}

/** Names, one on a line; undefined when there are none. */
export function names(values: readonly string[]): ReactNode {
  if (values.length === 0) return undefined;
  return (
    <ul className="krkn-pairs">
      {values.map((name) => (
        <li key={name}>
          <code>{name}</code>
        </li>
      ))}
    </ul>
  );
}
