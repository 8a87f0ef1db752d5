import type { ReactNode } from "react";
import type { ReportedResult } from "../api/types";

/** What the scenario said of its run, as facts; none where it said nothing. */
export function reported(result: ReportedResult | undefined): Record<string, ReactNode> {
  if (result === undefined) return {};
  const { scenarios, healthChecks, resiliencyScore, passedSlos, totalSlos, failedAlerts } = result;
  return {
    "Resiliency score": resiliencyScore,
    "SLOs met": totalSlos === undefined ? undefined : `${passedSlos ?? "?"} of ${totalSlos}`,
    "Alerts that made it fail": failedAlerts,
    "Scenarios, as krkn says": lines(
      scenarios.map(({ name, exitStatus, affectedPods, affectedNodes }) => {
        const affected = [some(affectedPods, "pod"), some(affectedNodes, "node")].filter(Boolean);
        const outcome = exitStatus === 0 ? "ended well" : `exit status ${exitStatus}`;
        return [`${name}: ${outcome}`, ...affected].join(", ");
      }),
    ),
    "Health checks": lines(
      healthChecks.map(({ url, passed }) => `${passed ? "passed" : "failed"}: ${url}`),
    ),
  };
}

function some(count: number, what: string): string {
  return count === 0 ? "" : `${count} ${what}${count === 1 ? "" : "s"} affected`;
}

function lines(texts: readonly string[]): ReactNode {
  if (texts.length === 0) return undefined;
  return (
    <ul className="krkn-pairs">
      {texts.map((text, index) => (
        <li key={index}>{text}</li>
      ))}
    </ul>
  );
}
