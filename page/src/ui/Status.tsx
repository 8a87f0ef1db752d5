import { Label } from "@patternfly/react-core";
import {
  BanIcon,
  CheckCircleIcon,
  ExclamationCircleIcon,
  ExclamationTriangleIcon,
  HourglassHalfIcon,
  InProgressIcon,
  PendingIcon,
} from "@patternfly/react-icons";
import type { ComponentProps, ReactNode } from "react";

interface Look {
  readonly icon: ReactNode;
  readonly status?: ComponentProps<typeof Label>["status"];
  readonly color?: ComponentProps<typeof Label>["color"];
}

const LOOKS: Record<string, Look> = {
  Pending: { icon: <PendingIcon />, color: "grey" },
  Running: { icon: <InProgressIcon />, color: "blue" },
  Stopping: { icon: <HourglassHalfIcon />, color: "yellow" },
  Succeeded: { icon: <CheckCircleIcon />, status: "success" },
  PartiallyFailed: { icon: <ExclamationTriangleIcon />, status: "warning" },
  Failed: { icon: <ExclamationCircleIcon />, status: "danger" },
  Stopped: { icon: <BanIcon />, color: "purple" },
};

const TITLES: Record<string, string> = { PartiallyFailed: "Partly failed" };

/** The status of a run or of a job, by icon, colour and word. */
export function Status({ status }: { readonly status: string }) {
  const { icon, ...look } = LOOKS[status] ?? { icon: undefined };
  return (
    <Label isCompact variant="outline" icon={icon} {...look}>
      {TITLES[status] ?? status}
    </Label>
  );
}
