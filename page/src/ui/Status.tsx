import {
  BanIcon,
  CheckCircleIcon,
  ExclamationCircleIcon,
  ExclamationTriangleIcon,
  HourglassHalfIcon,
  InProgressIcon,
  PendingIcon,
} from "@patternfly/react-icons";
import styles from "@patternfly/react-styles/css/components/Label/label.mjs";
import type { ReactNode } from "react";

const { modifiers } = styles;

interface Look {
  readonly icon: ReactNode;
  readonly modifier: string;
}

const LOOKS: Record<string, Look> = {
  Pending: { icon: <PendingIcon />, modifier: "" },
  Running: { icon: <InProgressIcon />, modifier: modifiers.blue },
  Stopping: { icon: <HourglassHalfIcon />, modifier: modifiers.yellow },
  Succeeded: { icon: <CheckCircleIcon />, modifier: modifiers.success },
  PartiallyFailed: { icon: <ExclamationTriangleIcon />, modifier: modifiers.warning },
  Failed: { icon: <ExclamationCircleIcon />, modifier: modifiers.danger },
  Stopped: { icon: <BanIcon />, modifier: modifiers.purple },
};

const TITLES: Record<string, string> = { PartiallyFailed: "Partly failed" };

/**
 * The status of a run or of a job, by icon, colour and word.
 *
 * PatternFly's Label without its component, which measures each of them: in a table of many rows
 * that is felt.
 */
export function Status({ status }: { readonly status: string }) {
  const { icon, modifier } = LOOKS[status] ?? { icon: undefined, modifier: "" };
  return (
    <span className={`${styles.label} ${modifiers.outline} ${modifiers.compact} ${modifier}`}>
      <span className={styles.labelContent}>
        {icon && <span className={styles.labelIcon}>{icon}</span>}
        <span className={styles.labelText}>{TITLES[status] ?? status}</span>
      </span>
    </span>
  );
}
