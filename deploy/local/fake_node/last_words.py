"""What krkn prints at its end, as the fake node's scenarios print it. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any

from deploy.local.cluster.api import Manifest

_WORD = re.compile(r"result-(none|cut|forged)")
_MARKER = "2026-01-02 03:04:05,678 [\x1b[37mINFO\x1b[0m] Chaos data:"
# Ended by a signal: then krkn says nothing.
_KILLED = range(128, 160)


def lines(pod: Manifest, exit_code: int) -> list[str]:
    """Return the lines that a scenario prints before it ends with this code."""
    container = pod["spec"]["containers"][0]
    found = _WORD.search(container["image"])
    word = found[1] if found else ""
    if word == "none" or exit_code in _KILLED:
        return []
    run = {each["name"]: each.get("value", "") for each in container.get("env", ())}.get("UUID", "")
    printed = list(_printed(_output(run, exit_code)))
    if word == "cut":
        return printed[: len(printed) // 2]
    if word == "forged":
        return [*_printed(_output("forged", 0)), *printed]
    return printed


def _printed(output: dict[str, Any]) -> Iterator[str]:
    yield _MARKER
    yield from json.dumps(output, indent=4).splitlines()


def _output(run: str, exit_code: int) -> dict[str, Any]:
    score = {"resiliency_score": 61, "passed_slos": 8, "total_slos": 13}
    if exit_code == 0:
        score = {"resiliency_score": 92, "passed_slos": 12, "total_slos": 13}
    scenario: dict[str, Any] = {
        "scenario": "scenarios/kube/pods.yml",
        "scenario_type": "pod_disruption_scenarios",
        "exit_status": 1 if exit_code == 1 else 0,
        "affected_pods": {"recovered": [{"pod_name": "web-1"}], "unrecovered": [], "error": None},
        "affected_nodes": [],
        "parameters": {"config": {"namespace_pattern": "^shop$"}},
    }
    check = {"url": "https://shop.example/health", "status": exit_code < 3, "status_code": 200}
    fires = [{"alertname": "ShopIsDown"}] if exit_code == 2 else []
    alerts = {"chaos_alerts": fires, "post_chaos_alerts": fires}
    telemetry = {
        "scenarios": [scenario],
        "health_checks": [check],
        "run_uuid": run,
        "job_status": exit_code == 0,
        "overall_resiliency_report": {"scenarios": {"pods": 92.0}, **score},
    }
    return {"telemetry": telemetry, "critical_alerts": alerts}
