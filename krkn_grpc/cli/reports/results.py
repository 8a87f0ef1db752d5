"""What scenarios said of their runs at their ends, as words. It is their claim. Pure."""

from krkn_grpc.cli.reports.facts import Fact
from krkn_grpc.cli.reports.model import Outcome
from krkn_grpc.cli.reports.texts import clean, count
from krkn_grpc.client.models import ReportedHealthCheck, ReportedResult, ReportedScenario

TITLE = "As the scenario reported"


def of_target(outcome: Outcome) -> list[Fact]:
    """Return what the scenario said on one target; empty if it said nothing."""
    result = outcome.job.result
    if result is None:
        return []
    facts = [
        ("Resiliency score", score(outcome)),
        ("SLOs met", _slos(result)),
        (
            "Alerts that failed it",
            "" if result.failed_alerts is None else str(result.failed_alerts),
        ),
        *((clean(each.name) or "Scenario", _scenario(each)) for each in result.scenarios),
        *(("Health check", _health_check(each)) for each in result.health_checks),
        ("Run of krkn", "" if result.run_uuid == outcome.job.job_id else clean(result.run_uuid)),
    ]
    return [(name, words) for name, words in facts if words]


def score(outcome: Outcome) -> str:
    """Return krkn's resiliency score, from 0 to 100: `87.5`; "" if there is none."""
    result = outcome.job.result
    if result is None or result.resiliency_score is None:
        return ""
    return f"{result.resiliency_score:.1f}".removesuffix(".0")


def _slos(result: ReportedResult) -> str:
    if result.total_slos is None:
        return ""
    met = "?" if result.passed_slos is None else str(result.passed_slos)
    return f"{met} of {result.total_slos}"


def _scenario(scenario: ReportedScenario) -> str:
    affected = [
        count(number, noun)
        for number, noun in ((scenario.affected_pods, "pod"), (scenario.affected_nodes, "node"))
        if number
    ]
    ended = "succeeded" if not scenario.exit_status else f"exit status {scenario.exit_status}"
    parts = [clean(scenario.type), ended, f"{' and '.join(affected)} affected" if affected else ""]
    return ", ".join(part for part in parts if part)


def _health_check(check: ReportedHealthCheck) -> str:
    return f"{clean(check.url) or 'a URL'} {'passed' if check.passed else 'failed'}"
