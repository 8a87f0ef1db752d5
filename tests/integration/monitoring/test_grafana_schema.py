"""The dashboard is one by Grafana's own schema, of which its Go types are made."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.dashboard import generate
from tests.support.go_reads import GoReads, go_reads

Json = dict[str, Any]


@pytest.fixture(scope="module")
def go() -> Iterator[GoReads]:
    """Grafana's types."""
    with go_reads() as started:
        yield started


def test_it_is_a_dashboard(go: GoReads) -> None:
    assert go.dashboard_error(generate.FILE.read_text()) == ""


def first(dashboard: Json, kind: str) -> Json:
    """The first panel of a kind, also in closed rows."""
    panels = [each for top in dashboard["panels"] for each in (top, *top.get("panels", ()))]
    return next(panel for panel in panels if panel["type"] == kind)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: d.update(no_such_field=1), "no_such_field"),
        (lambda d: d.pop("schemaVersion"), "schemaVersion"),
        (lambda d: first(d, "timeseries")["gridPos"].update(z=1), "z"),
        (lambda d: first(d, "timeseries")["targets"][0].update(query="up"), "query"),
        (lambda d: first(d, "timeseries")["options"].pop("legend"), "legend"),
        (lambda d: first(d, "stat")["options"].update(colour="red"), "colour"),
        (
            lambda d: first(d, "timeseries")["fieldConfig"]["defaults"]["custom"].update(dots=1),
            "dots",
        ),
        (lambda d: d["templating"]["list"][1].update(refresh="often"), "refresh"),
    ],
)
def test_it_would_not_be_one(go: GoReads, change: Callable[[Json], Any], named: str) -> None:
    dashboard = json.loads(generate.FILE.read_text())
    change(dashboard)
    assert named in go.dashboard_error(json.dumps(dashboard))
