import type { ReactNode } from "react";
import { labelTexts } from "./labels";

export type TagColour = "success" | "warning" | "danger" | "blue" | "yellow" | "purple" | "grey";

interface Props {
  readonly colour?: TagColour;
  readonly icon?: ReactNode;
  readonly title?: string;
  readonly children: ReactNode;
}

/**
 * A short text in a frame, as PatternFly's outlined Label looks. Not with its class, which sets
 * some 200 custom properties for each element and all in it: in a table that scrolls, the browser
 * spends more time on them than on all else.
 */
export function Tag({ colour = "grey", icon, title, children }: Props) {
  return (
    <span className={`krkn-tag krkn-tag-${colour}`} title={title}>
      {icon}
      <span className="krkn-tag-text">{children}</span>
    </span>
  );
}

interface LabelsProps {
  readonly labels: Readonly<Record<string, string>>;
  /** So many are shown; the others are named in the title of a number. */
  readonly shown: number;
}

/** The labels of a run or of a target, by key; an element for each, because rows of a table have them. */
export function Labels({ labels, shown }: LabelsProps) {
  const texts = labelTexts(labels);
  const rest = texts.slice(shown);
  return (
    <ul className="krkn-labels" aria-label="Labels">
      {texts.slice(0, shown).map((text) => (
        <li key={text} title={text}>
          {text}
        </li>
      ))}
      {rest.length > 0 && (
        <li title={rest.join(", ")}>
          {rest.length} more<span className="pf-v6-screen-reader">: {rest.join(", ")}</span>
        </li>
      )}
    </ul>
  );
}
