"""What a scenario said of its run, in words."""

from krkn_grpc.cli.reports.texts import count
from krkn_grpc.v1.scenario_runs_pb2 import Job, ReportedResult, ReportedScenario


def score(job: Job) -> str:
    """Return the resiliency score, "" where there is none."""
    result = job.result
    return f"{result.resiliency_score:g}" if result.HasField("resiliency_score") else ""


def in_words(job: Job) -> str:
    """Return the result as `score 92, 12 of 13 SLOs, 1 alert, 1 of 2 health checks failed`."""
    result = job.result
    parts = [f"score {score(job)}" if score(job) else "", _slos(result)]
    if result.failed_alerts:
        parts.append(count(result.failed_alerts, "alert"))
    failed = [check.url for check in result.health_checks if not check.passed]
    if result.health_checks:
        checks = count(len(result.health_checks), "health check")
        named = f" ({', '.join(filter(None, failed))})" if any(failed) else ""
        parts.append(f"{len(failed) or 'none'} of {checks} failed{named}")
    parts += map(_scenario, result.scenarios)
    return ", ".join(filter(None, parts))


def _slos(result: ReportedResult) -> str:
    if not (result.HasField("passed_slos") and result.HasField("total_slos")):
        return ""
    return f"{result.passed_slos} of {result.total_slos} SLOs"


def _scenario(said: ReportedScenario) -> str:
    affected = [
        count(number, thing)
        for number, thing in ((said.affected_pods, "pod"), (said.affected_nodes, "node"))
        if number
    ]
    return " ".join([said.name or said.type, "exit", str(said.exit_status), *affected])
