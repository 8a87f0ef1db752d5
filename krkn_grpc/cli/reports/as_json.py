"""The report as JSON, whose form docs/reports.md describes. Pure."""

import json

from krkn_grpc.cli.display import JsonObject
from krkn_grpc.cli.reports.model import Outcome, Report

VERSION = 1
"""Grows when a field goes or changes its meaning; fields may be added."""

# Of a job; what is the same for all is in the run.
_OF_JOB = (
    "reason",
    "message",
    "exitCode",
    "jobId",
    "podName",
    "startTime",
    "completionTime",
    "result",
)


def rendered(report: Report) -> str:
    """Return the file."""
    whole = {
        "version": VERSION,
        "madeAt": report.made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "server": report.server,
        "run": report.shown,
        "summary": {
            "targets": len(report.outcomes),
            "isAllWell": report.is_all_well,
            "durationSeconds": round(report.seconds, 3),
            "byStatus": report.counts,
            "byReason": report.reasons,
        },
        "targets": [_target(outcome) for outcome in report.outcomes],
    }
    # Not every text that came is one in UTF-8.
    return json.dumps(whole, indent=2, ensure_ascii=True) + "\n"


def _target(outcome: Outcome) -> JsonObject:
    shown: JsonObject = {
        "targetUUID": outcome.job.target_uuid,
        "clusterName": outcome.job.cluster_name,
        "status": outcome.status,
    }
    shown |= {name: outcome.shown[name] for name in _OF_JOB if name in outcome.shown}
    if outcome.seconds is not None:
        shown["durationSeconds"] = outcome.seconds
    if outcome.log is not None:
        shown["log"] = {
            "lines": outcome.log.lines,
            "isWhole": outcome.log.is_whole,
            "problem": outcome.log.problem,
            "source": outcome.log.source,
        }
    return shown
