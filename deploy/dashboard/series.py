"""What the panels of the dashboard show, asked of a Prometheus."""

import json
import math
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from deploy.dashboard.model import MATCHERS, RATE_INTERVAL, Line, Panel, Window

_SECONDS = 30


def lines(url: str, panel: Panel, window: Window) -> list[Line]:
    """Return the panel's lines from the Prometheus at `url`; raises OSError if it does not answer.

    All namespaces and jobs are shown. A point without a number is left out.
    """
    found = []
    for query in panel.queries:
        text = query.expression.replace(RATE_INTERVAL, f"{window.rate_seconds}s")
        text = text.replace(MATCHERS, 'namespace=~".*"')
        for series in _ask(url, text, window):
            name = _named(query.legend or panel.title, series["metric"])
            points = [(when, float(value)) for when, value in series["values"]]
            points = [point for point in points if not math.isnan(point[1])]
            if points:
                found.append(Line(name, points))
    return found


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda label: labels.get(label[1], ""), legend).strip()


def _ask(url: str, text: str, window: Window) -> list[Any]:
    asked = {"query": text, "start": window.start, "end": window.end, "step": window.step}
    address = f"{url}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
    with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310  # of this machine
        result = json.load(answer)["data"]["result"]
    return list(result)
