"""The dashboard in Grafana's JSON model, the classic one, which every version reads. Pure.

The types are those of Grafana's own schema (grafana-foundation-sdk); a test reads the result by it.
"""

import string
from collections.abc import Iterator, Sequence
from typing import Any

from deploy.dashboard.model import SHADES, Panel, Row

Json = dict[str, Any]

UID = "krkn-grpc"
TITLE = "krkn-grpc"
SCHEMA_VERSION = 39
"""Of Grafana 11; newer versions migrate it."""

_COLUMNS = 24
_HEIGHTS = {"row": 1, "stat": 4, "timeseries": 8}
_DATA_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Of each process of ours, and of Envoy.
_EVERY_PROCESS = '{__name__=~"krkn_build_info|envoy_server_live"'


def dashboard(rows: Sequence[Row]) -> Json:
    """Return the whole dashboard."""
    return {
        "uid": UID,
        "title": TITLE,
        "description": "Calls, jobs, targets and processes of krkn-grpc: docs/observability.md.",
        "tags": ["krkn", "chaos"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables()},
        "annotations": {"list": []},
        "panels": _numbered(_placed(rows)),
    }


def _variables() -> list[Json]:
    return [
        {
            "type": "datasource",
            "name": "datasource",
            "label": "Prometheus",
            "query": "prometheus",
            "refresh": 1,
        },
        _of_label("namespace", "Namespace", f"{_EVERY_PROCESS}}}"),
        _of_label("job", "Job", f'{_EVERY_PROCESS}, namespace=~"$namespace"}}'),
    ]


def _of_label(label: str, title: str, series: str) -> Json:
    """Return a variable with the values of a label; one that no series has leaves all series."""
    query = f"label_values({series}, {label})"
    return {
        "type": "query",
        "name": label,
        "label": title,
        "datasource": _DATA_SOURCE,
        "definition": query,
        "query": {"query": query, "refId": label},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _placed(rows: Sequence[Row]) -> Iterator[Json]:
    """Yield rows and panels, each with its place, in the order of the page."""
    top = 0
    for row in rows:
        heading = {
            "type": "row",
            "title": row.title,
            "collapsed": not row.is_open,
            "gridPos": _place(0, top, _COLUMNS, _HEIGHTS["row"]),
            "panels": [],
        }
        top += _HEIGHTS["row"]
        panels, bottom = _in_lines(row.panels, top)
        if row.is_open:
            yield heading
            yield from panels
            top = bottom
        else:
            # Their places are those that they take when the row is opened.
            yield heading | {"panels": panels}


def _in_lines(panels: Sequence[Panel], top: int) -> tuple[list[Json], int]:
    """Return the panels from left to right, line by line, and where the next line would begin."""
    lines: list[list[Panel]] = [[]]
    for panel in panels:
        if sum(each.width for each in lines[-1]) + panel.width > _COLUMNS:
            lines.append([])
        lines[-1].append(panel)
    placed: list[Json] = []
    for line in lines:
        left, height = 0, max(_HEIGHTS[panel.kind] for panel in line)
        for panel in line:
            placed.append(_panel(panel) | {"gridPos": _place(left, top, panel.width, height)})
            left += panel.width
        top += height
    return placed, top


def _place(left: int, top: int, width: int, height: int) -> Json:
    return {"x": left, "y": top, "w": width, "h": height}


def _numbered(panels: Iterator[Json]) -> list[Json]:
    """Give each panel its id."""
    numbered: list[Json] = []
    number = 0
    for panel in panels:
        for each in (panel, *panel.get("panels", ())):
            number += 1
            each["id"] = number
        numbered.append(panel)
    return numbered


def _panel(panel: Panel) -> Json:
    is_stat = panel.kind == "stat"
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.help,
        "datasource": _DATA_SOURCE,
        "targets": [
            {
                "refId": letter,
                "datasource": _DATA_SOURCE,
                "editorMode": "code",
                "expr": query.expression,
                "legendFormat": query.legend or panel.title,
                "range": not panel.shows_names,
                "instant": panel.shows_names,
            }
            for letter, query in zip(string.ascii_uppercase, panel.queries, strict=False)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": _stat_options(panel) if is_stat else _LINE_OPTIONS,
    }


def _defaults(panel: Panel) -> Json:
    defaults: Json = {"unit": panel.unit, "min": 0}
    if panel.maximum is not None:
        defaults["max"] = panel.maximum
    if panel.without_data:
        defaults["noValue"] = panel.without_data
    if panel.colors:
        first, *others = ({"value": value, "color": color} for value, color in panel.colors)
        steps = [first | {"value": None}, *others]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        defaults["color"] = {"mode": "thresholds"}
    if panel.kind == "timeseries":
        # Lines have different colors all the same; from the second color on there is an area.
        defaults["color"] = {"mode": "palette-classic"}
        defaults["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 30 if panel.is_stacked else 10,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.is_stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "area" if panel.colors else "off"},
        }
    return defaults


def _overrides(panel: Panel) -> list[Json]:
    """Return the colors of series that tell of success and failure."""
    has_any = any(label in each.legend for each in panel.queries for label in _OUTCOMES)
    if panel.kind != "timeseries" or not has_any:
        return []
    return [
        {
            "matcher": {"id": "byRegexp", "options": f"/{pattern}/"},
            "properties": [{"id": "color", "value": {"mode": "shades", "fixedColor": color}}],
        }
        for pattern, color in SHADES.items()
    ]


_OUTCOMES = ("{{phase}}", "{{ready}}")
_LINE_OPTIONS: Json = {
    "legend": {
        "displayMode": "table",
        "placement": "bottom",
        "showLegend": True,
        "calcs": ["lastNotNull", "max"],
    },
    "tooltip": {"mode": "multi", "sort": "desc"},
}


def _stat_options(panel: Panel) -> Json:
    return {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none" if panel.shows_names else "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "name" if panel.shows_names else "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
    }
