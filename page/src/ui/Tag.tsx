import styles from "@patternfly/react-styles/css/components/Label/label.mjs";
import type { ReactNode } from "react";

const { modifiers } = styles;

export type TagColour = "success" | "warning" | "danger" | "blue" | "yellow" | "purple" | "grey";

interface Props {
  readonly colour?: TagColour;
  readonly icon?: ReactNode;
  readonly title?: string;
  readonly children: ReactNode;
}

/**
 * A short text in a frame: PatternFly's compact Label without its component, which measures each
 * of them, and in a table of many rows that is felt.
 */
export function Tag({ colour = "grey", icon, title, children }: Props) {
  const modifier = colour === "grey" ? "" : modifiers[colour];
  return (
    <span
      className={`${styles.label} ${modifiers.outline} ${modifiers.compact} ${modifier}`}
      title={title}
    >
      <span className={styles.labelContent}>
        {icon && <span className={styles.labelIcon}>{icon}</span>}
        <span className={styles.labelText}>{children}</span>
      </span>
    </span>
  );
}

interface LabelsProps {
  readonly labels: Readonly<Record<string, string>>;
  /** So many are shown; the others are named in the title of a number. */
  readonly shown: number;
}

/** The labels of a run or of a target; an element for each, because rows of a table have them. */
export function Labels({ labels, shown }: LabelsProps) {
  const texts = Object.entries(labels).map(([key, value]) => (value ? `${key}=${value}` : key));
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
