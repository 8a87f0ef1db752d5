"""Each alert has its tests, its runbook and all that a person needs, and names nothing unknown."""

import re
from functools import cache
from typing import Any

import pytest
import yaml

from deploy.alerts import rules
from deploy.local.services import REPOSITORY
from docs import metrics_tables

ALERTS = rules.alerts()
FILES = sorted((REPOSITORY / "tests/integration/alerts/rules").glob("*.yaml"))
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


@cache
def cases() -> list[dict[str, Any]]:
    """What tests/integration/alerts/test_rules.py shows of alerts at a time."""
    return [
        case
        for file in FILES
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]


@each_alert
def test_both_are_tested_of_every_alert(alert: rules.Alert) -> None:
    found = [bool(case["exp_alerts"]) for case in cases() if case["alertname"] == alert.name]
    assert set(found) == {True, False}


def test_every_tested_alert_is_there() -> None:
    assert {case["alertname"] for case in cases()} == {alert.name for alert in ALERTS}


@each_alert
def test_an_alert_says_all_that_is_needed(alert: rules.Alert) -> None:
    assert alert.severity in ("critical", "warning", "info")
    assert alert.annotations.keys() == {"runbook_url", "summary", "description"}
    assert alert.annotations["runbook_url"] == f"docs/runbooks/{alert.name}.md"
    assert alert.annotations["summary"].endswith(".")


def test_no_two_rules_have_the_same_name() -> None:
    content = yaml.safe_load(rules.SOURCE.read_text())
    count = sum(len(group["rules"]) for group in content["groups"])
    assert len(rules.expressions()) == count


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    pages = {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == {alert.name for alert in ALERTS}


@each_alert
def test_a_runbook_says_what_it_means_and_what_to_look_at_and_to_do(alert: rules.Alert) -> None:
    page = (RUNBOOKS / f"{alert.name}.md").read_text()
    assert page.startswith(f"# {alert.name}\n")
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert headings == ["What it means", "What to look at", "What to do"]
    looked_at = page.split("## What to look at")[1].split("## What to do")[0]
    assert re.search(r"```(promql|shell)\n", looked_at), "exact queries or commands"


# --- every metric and label of a rule, and of a query in a runbook, is one that there is ---

# What a scrape adds; and the label that the expression of KrknAbsent makes.
ADDED = {"namespace", "pod", "container", "process"}
OF_ENVOY = {
    *("envoy_response_code_class", "envoy_http_conn_manager_prefix"),
    "envoy_tls_certificate",
}
WORDS = {
    *("absent", "deriv", "histogram_quantile", "increase", "label_replace", "rate", "time"),
    *("count", "max", "min", "sort_desc", "sum", "topk", "and", "or", "unless"),
}
NAMED = re.compile(r"[a-zA-Z_:][\w:]*")


@cache
def known() -> dict[str, set[str]]:
    """The labels of each metric, by the names that its series have."""
    found: dict[str, set[str]] = {}
    for registry in metrics_tables.TABLES.values():
        for name, kind, labels, _ in metrics_tables.definitions(registry):
            if kind == "histogram":
                found[f"{name}_bucket"] = {*labels, "le"}
                found[f"{name}_sum"] = found[f"{name}_count"] = set(labels)
            else:
                found[name] = set(labels)
    for name in rules.expressions():
        if ":" in name:
            found[name] = set()
    return found


def faults(expression: str) -> list[str]:
    """Return what an expression names and the tables do not have."""
    metrics, wrong = known(), []
    all_labels = set().union(*metrics.values()) | ADDED | OF_ENVOY
    # Labels in braces belong to the metric before them.
    for name, matchers in re.findall(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}", expression):
        if name.startswith("envoy_"):
            continue  # tests/integration/alerts/test_live.py asks a real one
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
        wrong += [f"{name}{{{label}}}" for label in labels - metrics.get(name, set()) - ADDED]
    rest = re.sub(r'"[^"]*"|\{[^}]*\}|\[\w+\]', " ", expression)
    for clause in re.findall(r"(?:by|without|on)\s*\(([^)]*)\)", rest):
        wrong += [each for each in re.findall(r"\w+", clause) if each not in all_labels]
    rest = re.sub(r"(?:by|without|on)\s*\([^)]*\)", " ", rest)
    wrong += [
        each
        for each in NAMED.findall(rest)
        if each not in WORDS and each not in metrics and not each.startswith("envoy_")
    ]
    return wrong


@pytest.mark.parametrize(("name", "expression"), rules.expressions().items())
def test_a_rule_names_metrics_and_labels_that_there_are(name: str, expression: str) -> None:
    assert not faults(expression)


def queries() -> list[tuple[str, str]]:
    """The queries of all runbooks, one a line."""
    return [
        (page.stem, line)
        for page in sorted(RUNBOOKS.glob("*.md"))
        for block in re.findall(r"```promql\n(.*?)```", page.read_text(), re.DOTALL)
        for line in block.splitlines()
        if line and not line.startswith("#")
    ]


@pytest.mark.parametrize(("page", "query"), queries())
def test_a_query_of_a_runbook_names_metrics_and_labels_that_there_are(
    page: str, query: str
) -> None:
    assert not faults(query)


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("max by (namespace) (krkn_jobs_overdue) > 0", []),
        ("krkn_jobs_late > 0", ["krkn_jobs_late"]),
        ('krkn_jobs{phase="Running", job="a"} > 0', ["krkn_jobs{job}"]),
        ("sum by (uuid) (krkn_jobs)", ["uuid"]),
        ("rate(krkn_job_start_delay_seconds[5m])", ["krkn_job_start_delay_seconds"]),
        ("namespace:krkn_calls_refused:ratio_rate5m > 1 or vector(1)", ["vector"]),
    ],
)
def test_what_is_not_there_is_found(expression: str, wrong: list[str]) -> None:
    assert faults(expression) == wrong


def test_the_manifest_has_the_same_rules_and_is_fresh() -> None:
    written = rules.MANIFEST.read_text()
    assert written == rules.manifest(), "run make docs"
    assert yaml.safe_load(written)["spec"] == yaml.safe_load(rules.SOURCE.read_text())


def test_logs_of_pods_by_a_selector_are_whole() -> None:
    """Of pods that are named by a selector kubectl shows the last 10 lines, unless told."""
    commands = [
        command
        for page in sorted(RUNBOOKS.parent.rglob("*.md"))
        for command in re.findall(r"kubectl logs .* -l .*", page.read_text())
    ]
    assert len(commands) > 5
    assert [each for each in commands if "--tail" not in each] == []
