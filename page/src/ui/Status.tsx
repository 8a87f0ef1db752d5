import {
  BanIcon,
  CheckCircleIcon,
  ExclamationCircleIcon,
  ExclamationTriangleIcon,
  HourglassHalfIcon,
  InProgressIcon,
  PendingIcon,
} from "@patternfly/react-icons";
import type { ReactNode } from "react";
import { Tag, type TagColour } from "./Tag";

interface Look {
  readonly icon: ReactNode;
  readonly colour: TagColour;
}

const LOOKS: Record<string, Look> = {
  Pending: { icon: <PendingIcon />, colour: "grey" },
  Running: { icon: <InProgressIcon />, colour: "blue" },
  Stopping: { icon: <HourglassHalfIcon />, colour: "yellow" },
  Succeeded: { icon: <CheckCircleIcon />, colour: "success" },
  PartiallyFailed: { icon: <ExclamationTriangleIcon />, colour: "warning" },
  Failed: { icon: <ExclamationCircleIcon />, colour: "danger" },
  Stopped: { icon: <BanIcon />, colour: "purple" },
};

/** The status of a run or of a job, by icon, colour and word. */
export function Status({ status }: { readonly status: string }) {
  return <Tag {...LOOKS[status]}>{status}</Tag>;
}
