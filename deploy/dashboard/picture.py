"""Draws some panels of the dashboard from the numbers of a real run, for the documentation.

    KRKN_OBSERVE=1 KRKN_PROMETHEUS_PORT=9090 make run      in one terminal
    make load                                              in another one, for its five minutes
    make picture ARGS="--minutes 5"                        at its end

It needs no Grafana: the expressions, titles, units and names are the dashboard's.
"""

import argparse
import sys
import time

from deploy.dashboard.model import Window
from deploy.dashboard.rows import ROWS
from deploy.dashboard.series import lines
from deploy.dashboard.svg import Drawn, svg
from deploy.local.services import REPOSITORY

FILE = REPOSITORY / "docs" / "pictures" / "dashboard.svg"
SHOWN = (
    ("Calls", "Calls"),
    ("Calls", "Time of unary calls"),
    ("Jobs", "Jobs that wait and run"),
    ("Jobs", "Jobs that end"),
    ("Targets", "Targets by reason"),
    ("Controller", "Work on a key, p95"),
    ("Kubernetes API", "Requests"),
    ("Kubernetes API", "Time of requests by verb, p95"),
)
"""Row and title of each panel of the picture."""

_POINTS = 90


def _title(row: str, panel: str) -> str:
    """Return the panel's title, which must say alone what stands above it in the dashboard."""
    return f"{row}: {panel}" if row in ("Controller", "Kubernetes API") else panel


def main() -> None:
    """Ask Prometheus and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", metavar="URL")
    parser.add_argument("--minutes", type=float, default=5.0, help="how much time it shows")
    told = parser.parse_args()
    now = time.time()
    window = Window(now - 60 * told.minutes, now, 60 * told.minutes / _POINTS)
    panels = {(row.title, panel.title): panel for row in ROWS for panel in row.panels}
    try:
        drawn = [
            Drawn(_title(*each), panels[each], lines(told.prometheus, panels[each], window))
            for each in SHOWN
        ]
    except OSError as error:
        sys.exit(f"The Prometheus at {told.prometheus} does not answer: {error}")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(svg(f"krkn-grpc: {told.minutes:g} minutes of make load", drawn, window))


if __name__ == "__main__":
    main()
