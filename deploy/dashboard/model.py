"""What a dashboard consists of, whatever draws it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

MATCHERS = 'namespace=~"$namespace", job=~"$job"'
"""What the variables of the dashboard select."""

RATE_INTERVAL = "$__rate_interval"
"""Grafana's own variable: long enough for a rate at any zoom."""

Unit = Literal[
    "bytes", "cpm", "d", "dtdurations", "ms", "none", "ops", "percentunit", "reqps", "s", "short"
]
"""Grafana's ids of units; `cpm` is per minute, `dtdurations` a duration in words."""

Color = Literal["green", "orange", "red"]

SHADES: Mapping[str, Color] = {
    "^Succeeded": "green",
    "ready: true": "green",
    "^Failed": "red",
    "ready: false": "red",
}
"""The color of the series whose names have these patterns; others get any."""


@dataclass(frozen=True)
class Query:
    """An expression in PromQL, and the name of each of its series: text with {{label}}.

    In an expression `{...}` and `{..., a="b"}` select what the variables select, and `[...]` is the
    interval of a rate.
    """

    text: str
    legend: str = ""

    @property
    def expression(self) -> str:
        """The expression as Grafana has it."""
        text = self.text.replace("{...", f"{{{MATCHERS}")
        return text.replace("[...]", f"[{RATE_INTERVAL}]")


@dataclass(frozen=True)
class Panel:
    """One picture: lines over time, or the values of now in figures (`stat`).

    `help` says what is seen and what it means; people read it when they point at the title.
    """

    title: str
    help: str
    queries: Sequence[Query]
    unit: Unit = "short"
    kind: Literal["timeseries", "stat"] = "timeseries"
    width: int = 8
    """Of 24."""
    is_stacked: bool = False
    maximum: float | None = None
    colors: Sequence[tuple[float, Color]] = ()
    """The color from each value on; the first one holds for all that is less, too."""
    without_data: str = ""
    """What stands there when there are no series."""
    shows_names: bool = False
    """Of a stat: the names of the series in the place of their values."""


@dataclass(frozen=True)
class Row:
    """Panels below a title. A closed one asks for nothing until somebody opens it."""

    title: str
    panels: Sequence[Panel]
    is_open: bool = True


@dataclass(frozen=True)
class Line:
    """One series: its name, and its points as pairs of Unix time and value."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Window:
    """The time that is shown, in Unix time, and the seconds from one point to the next."""

    start: float
    end: float
    step: float

    @property
    def rate_seconds(self) -> int:
        """The interval of rates."""
        return max(30, round(4 * self.step))


def quantiles(metric: str, matchers: str = "", by: str = "", legend: str = "") -> list[Query]:
    """Return the median, the 95th and the 99th percentile of a histogram's values in the interval.

    `matchers` begin with a comma; `by` is a label that stays, and `legend` its part of the name.
    """
    names = {"0.5": "median", "0.95": "p95", "0.99": "p99"}
    return [
        Query(_quantile(share, metric, matchers, by), f"{legend}{name}")
        for share, name in names.items()
    ]


def p95(metric: str, by: str, matchers: str = "") -> Query:
    """Return the 95th percentile of a histogram's values for each value of the label `by`."""
    return Query(_quantile("0.95", metric, matchers, by), f"{{{{{by}}}}}")


def _quantile(share: str, metric: str, matchers: str, by: str) -> str:
    kept = f"le, {by}" if by else "le"
    rates = f"rate({metric}_bucket{{...{matchers}}}[...])"
    return f"histogram_quantile({share}, sum by ({kept}) ({rates}))"
