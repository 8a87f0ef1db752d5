"""The names and labels of metrics follow their rules, and the documentation lists them all."""

import re
from itertools import combinations

import pytest

from docs import metrics_tables
from krkn_grpc.telemetry import metrics

ALL = [
    definition
    for registry in metrics_tables.TABLES.values()
    for definition in metrics_tables.definitions(registry)
]
# Coined by others.
BORROWED = ("grpc_server_", "rest_client_", "workqueue_", "controller_runtime_", "leader_election_")
# Values of other labels would be a caller's: a user, an image, a name, an id.
LABELS = frozenset(
    {
        *("version", "revision", "code", "method", "verb", "resource", "kind", "reason", "pool"),
        *("grpc_type", "grpc_service", "grpc_method", "grpc_code"),
        *("result", "controller", "name", "phase", "ready"),
    }
)


def test_there_are_some() -> None:
    assert len(ALL) > 40


def test_the_page_lists_every_metric() -> None:
    page = metrics_tables.PAGE.read_text()
    assert metrics_tables.with_tables(page) == page, "run make docs"
    assert {name for name, *_ in ALL} <= set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))


@pytest.mark.parametrize(("name", "kind", "labels", "meaning"), ALL, ids=[each[0] for each in ALL])
def test_a_metric_is_named_as_it_should_be(
    name: str, kind: str, labels: tuple[str, ...], meaning: str
) -> None:
    assert name.startswith(("krkn_", *BORROWED))
    assert set(labels) <= LABELS
    assert name.endswith("_total") == (kind == "counter")
    assert kind != "histogram" or name.endswith("_seconds")
    assert meaning.endswith(".")
    assert "|" not in meaning


def test_the_page_names_no_metric_that_is_not_there() -> None:
    named = re.findall(r"\b(?:krkn|workqueue|rest_client|leader_election)_\w+", prose())
    known = {name for name, *_ in ALL}
    parts = ("_bucket", "_count", "_sum")
    assert {re.sub("|".join(parts), "", each) for each in named if "_" in each} <= known


def prose() -> str:
    """What the page says outside of its tables."""
    page = metrics_tables.PAGE.read_text()
    return re.sub(r"<!-- metrics: .*?<!-- end -->", "", page, flags=re.DOTALL)


def test_no_two_registries_have_the_same_metric() -> None:
    names = [
        {family.name for family in registry.collect()}
        for registry in (metrics.SHARED, metrics.SERVER, metrics.CONTROLLER)
    ]
    assert not any(one & other for one, other in combinations(names, 2))
