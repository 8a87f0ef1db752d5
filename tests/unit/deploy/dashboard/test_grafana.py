"""The dashboard's JSON is whole, and is the one that is installed."""

import json
from itertools import combinations
from typing import Any

from deploy.dashboard import generate, grafana
from deploy.dashboard.rows import ROWS
from deploy.local.cluster import manifests
from deploy.local.services import REPOSITORY

Json = dict[str, Any]
DASHBOARD: Json = json.loads(generate.FILE.read_text())


def panels(dashboard: Json) -> list[Json]:
    """All panels, also those of closed rows."""
    return [each for top in dashboard["panels"] for each in (top, *top.get("panels", ()))]


def test_the_file_is_fresh() -> None:
    assert generate.FILE.read_text() == generate.text(), "run make docs"
    assert grafana.dashboard(ROWS) == DASHBOARD


def test_each_panel_has_an_id_and_a_place_of_its_own() -> None:
    found = panels(DASHBOARD)
    assert len({panel["id"] for panel in found}) == len(found)
    # A closed row's panels lie where the next rows are until it is opened.
    for row in [DASHBOARD["panels"], *(panel.get("panels", []) for panel in found)]:
        for one, other in combinations([panel["gridPos"] for panel in row], 2):
            apart = [
                one[start] + one[size] <= other[start] or other[start] + other[size] <= one[start]
                for start, size in (("x", "w"), ("y", "h"))
            ]
            assert any(apart), (one, other)
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in row)


def test_closed_rows_have_their_panels_inside() -> None:
    rows = [panel for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert [row["title"] for row in rows] == [row.title for row in ROWS]
    for row, shown in zip(ROWS, rows, strict=True):
        assert shown["collapsed"] == (not row.is_open)
        assert len(shown["panels"]) == (0 if row.is_open else len(row.panels))


def test_the_component_brings_it_for_the_sidecar_of_grafana() -> None:
    loaded = manifests.load(REPOSITORY / "deploy" / "components" / "monitoring")
    [configuration] = manifests.of_kind(loaded, "ConfigMap")
    assert configuration["metadata"]["labels"]["grafana_dashboard"] == "1"
    [text] = configuration["data"].values()
    assert json.loads(text) == DASHBOARD
    # What `kubectl apply` without --server-side keeps in an annotation.
    assert len(text) < 200_000
