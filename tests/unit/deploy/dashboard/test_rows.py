"""The dashboard shows every metric, by expressions that select what there is."""

import re
from collections.abc import Iterator, Mapping, Set
from fnmatch import fnmatch
from typing import get_args

import grpc
import pytest

from controller.jobs.counting import AT_RISK, REASONS
from controller.targets.counting import REASONS as READY_REASONS
from deploy.dashboard.model import Panel, Query
from deploy.dashboard.rows import NOT_SHOWN, ROWS, jobs, overview
from docs import metrics_tables
from krkn_grpc.resources.chaos_job import Phase
from krkn_grpc.telemetry import metrics
from tests.support import promql
from tests.support.promql import Selector, WrongLabels

PANELS = [panel for row in ROWS for panel in row.panels]
QUERIES = [query for panel in PANELS for query in panel.queries]

# Labels that Envoy gives; the page says which of its metrics are kept.
OF_ENVOY = {
    "envoy_http_local_rate_limit_": {"envoy_local_http_ratelimit_prefix"},
    "envoy_http_": {"envoy_http_conn_manager_prefix", "envoy_response_code_class", "le"},
    "envoy_cluster_": {"envoy_cluster_name", "envoy_response_code_class", "le"},
    "envoy_listener_": {"envoy_listener_address", "envoy_tls_certificate"},
    "envoy_overload_": set(),
    "envoy_server_": set(),
}


def of_ours() -> Iterator[tuple[str, str, Set[str]]]:
    """Name, type and labels of each metric of server and controller."""
    for registry in metrics_tables.TABLES.values():
        for name, kind, labels, _ in metrics_tables.definitions(registry):
            yield name, kind, frozenset(labels)
    for family in metrics.SHARED.collect():
        if family.name.startswith("process_"):
            suffix = "_total" if family.type == "counter" else ""
            yield f"{family.name}{suffix}", family.type, frozenset()


OURS = {name: (kind, labels) for name, kind, labels in of_ours()}


def patterns_of_envoy() -> list[str]:
    """The patterns of the page's table of Envoy's metrics."""
    section = metrics_tables.PAGE.read_text().split("\n## Envoy\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`envoy_.*?) \|", section, re.MULTILINE)
    return [pattern for row in rows for pattern in re.findall(r"`(\w+\*?)`", row)]


class Known(dict[str, Set[str]]):
    """The labels of each series that there may be, by its name; of Envoy as the page lists them."""

    def __init__(self) -> None:
        super().__init__()
        for name, (kind, labels) in OURS.items():
            if kind == "histogram":
                self[f"{name}_bucket"] = labels | {"le"}
                self |= dict.fromkeys((f"{name}_count", f"{name}_sum"), labels)
            else:
                self[name] = labels
        for query in QUERIES:
            for selector in promql.selectors(query.expression):
                if any(fnmatch(selector.metric, pattern) for pattern in patterns_of_envoy()):
                    family = next(f for f in OF_ENVOY if selector.metric.startswith(f))
                    self[selector.metric] = OF_ENVOY[family]


KNOWN: Mapping[str, Set[str]] = Known()


def selected() -> Iterator[Selector]:
    for query in QUERIES:
        yield from promql.selectors(query.expression)


def test_every_metric_is_on_it_or_has_a_reason_not_to_be() -> None:
    shown = {re.sub("_(bucket|count|sum)$", "", each.metric) for each in selected()}
    assert OURS.keys() - shown == NOT_SHOWN.keys()
    for pattern in patterns_of_envoy():
        assert any(fnmatch(name, pattern) for name in shown), pattern


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.text)
def test_an_expression_selects_by_the_variables_and_names_labels_that_there_are(
    query: Query,
) -> None:
    there = promql.labels(query.expression, KNOWN)
    assert set(re.findall(r"{{(\w+)}}", query.legend)) <= there
    for selector in promql.selectors(query.expression):
        assert selector.matchers["namespace"] == "$namespace"
        assert selector.matchers["job"] == "$job"


@pytest.mark.parametrize(
    "query",
    [q for panel in PANELS if panel.kind == "timeseries" for q in panel.queries],
    ids=lambda query: query.text,
)
def test_series_of_one_panel_have_names_of_their_own(query: Query) -> None:
    # A label that is left out of the name makes two lines of the same name.
    there = promql.labels(query.expression, KNOWN)
    named = set(re.findall(r"{{(\w+)}}", query.legend))
    assert there - promql.OF_THE_SCRAPE <= named
    assert not there & promql.OF_THE_SCRAPE or named


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("krkn_no_such_metric", "no metric"),
        ('krkn_jobs{reason="Completed"}', "label reason"),
        ("sum by (reason) (krkn_jobs)", "label reason"),
        ("histogram_quantile(0.5, sum(rate(krkn_job_start_delay_seconds_bucket[5m])))", "label le"),
        ("sum by (phase) (krkn_jobs) / sum(krkn_jobs)", "never meet"),
    ],
)
def test_a_wrong_expression_is_found(wrong: str, why: str) -> None:
    with pytest.raises(WrongLabels, match=why):
        promql.labels(wrong, KNOWN)


def test_values_in_matchers_are_values_that_there_are() -> None:
    codes = {code.name.title().replace("_", "") for code in grpc.StatusCode}
    reasons = REASONS | READY_REASONS
    assert set(overview.AT_FAULT.split("|")) <= codes
    assert set(jobs.STOPPED_BY_RULES.split("|")) <= REASONS
    for selector in selected():
        for label, known in (("phase", set(get_args(Phase))), ("reason", reasons)):
            if value := selector.matchers.get(label):
                assert set(value.split("|")) <= known
    told = next(panel for panel in PANELS if panel.title == "Jobs at risk").help
    assert all(reason in told for reason in AT_RISK)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_says_what_it_shows(panel: Panel) -> None:
    assert panel.help.endswith(".")
    assert panel.queries
    assert (panel.kind == "stat") or all(query.legend for query in panel.queries)
    starts = [value for value, _ in panel.colors]
    assert starts == sorted(set(starts))
