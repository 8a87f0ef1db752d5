"""Panels as an SVG: lines and areas over time, with titles, units and legends. Pure."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TypeAlias
from xml.sax.saxutils import escape

from deploy.dashboard.model import SHADES, Color, Line, Panel, Unit, Window

_COLORS = ("#3b78b0", "#e08a2c", "#8367b0", "#8a6a5c", "#d07fb4", "#7f7f7f", "#4f9a53", "#c44e4e")
_SHADES: dict[Color, Sequence[str]] = {
    "green": ("#4f9a53", "#86bf89"),
    "orange": ("#e08a2c",),
    "red": ("#c44e4e", "#df9191", "#8f2f2f"),
}
_COLUMNS = 2
_WIDTH, _PLOT_HEIGHT = 460, 130
_LEFT, _TOP, _RIGHT = 66, 40, 24
_LEGEND_LINE, _LEGEND_COLUMNS = 16, 2
_GAP = 16
_STYLE = (
    "text{font:11px sans-serif;fill:#444}.title{font:bold 13px sans-serif;fill:#222}"
    ".head{font:bold 15px sans-serif;fill:#222}.end{text-anchor:end}.middle{text-anchor:middle}"
    ".grid{stroke:#ddd}.card{fill:#fff;stroke:#ccc}.line{fill:none;stroke-width:1.6}"
)
_Point: TypeAlias = tuple[float, float]
_FACTORS: dict[Unit, Sequence[tuple[float, str]]] = {
    "bytes": ((2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1, " B")),
    "cpm": ((1, " / min"),),
    "ops": ((1, " / s"),),
    "percentunit": ((0.01, " %"),),
    "reqps": ((1, " / s"),),
    "s": ((60, " min"), (1, " s"), (0.001, " ms")),
}


@dataclass(frozen=True)
class Drawn:
    """A panel with its title, and what it shows."""

    title: str
    panel: Panel
    lines: Sequence[Line]


@dataclass(frozen=True)
class _Axis:
    """The marks of an axis, from 0 to the highest: value and text of each."""

    marks: Sequence[tuple[float, str]]

    @property
    def highest(self) -> float:
        return self.marks[-1][0]


@dataclass(frozen=True)
class _Frame:
    """Where a panel's plot is, and the values at its edges."""

    left: float
    top: float
    window: Window
    highest: float

    def x(self, when: float) -> float:
        share = (when - self.window.start) / (self.window.end - self.window.start)
        return round(self.left + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        return round(self.top + _PLOT_HEIGHT * (1 - value / self.highest), 1)


def svg(title: str, drawn: Sequence[Drawn], window: Window) -> str:
    """Return the picture: a title, and two panels beside each other in each line."""
    parts: list[str] = []
    top = 34.0
    for start in range(0, len(drawn), _COLUMNS):
        beside = drawn[start : start + _COLUMNS]
        height = max(map(_height, beside))
        for column, each in enumerate(beside):
            left = _GAP + column * (_WIDTH + _GAP)
            parts += _panel(each, window, left, top, height)
        top += height + _GAP
    width = _COLUMNS * (_WIDTH + _GAP) + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top:.0f}" width="{width}">'
        f'<style>{_STYLE}</style><rect width="{width}" height="{top:.0f}" fill="#f6f6f6"/>'
        f'<text class="head" x="{_GAP}" y="23">{escape(title)}</text>\n'
        + "\n".join(parts)
        + "</svg>\n"
    )


def _height(drawn: Drawn) -> float:
    rows = math.ceil(len(drawn.lines) / _LEGEND_COLUMNS)
    return _TOP + _PLOT_HEIGHT + 30 + rows * _LEGEND_LINE + 6


def _panel(drawn: Drawn, window: Window, left: float, top: float, height: float) -> Iterator[str]:
    stacked = _stacked(drawn.lines) if drawn.panel.is_stacked else drawn.lines
    most = max((value for line in stacked for _, value in line.points), default=1)
    axis = _axis(drawn.panel.maximum or most, drawn.panel.unit)
    frame = _Frame(left + _LEFT, top + _TOP, window, axis.highest)
    yield f'<rect class="card" x="{left}" y="{top}" width="{_WIDTH}" height="{height}" rx="3"/>'
    yield f'<text class="title" x="{left + 12}" y="{top + 21}">{escape(drawn.title)}</text>'
    yield from _axes(frame, axis)
    floor = [(frame.x(when), frame.y(0)) for when, _ in stacked[0].points] if stacked else []
    for line, color in zip(stacked, _colors(drawn.lines), strict=True):
        path = [(frame.x(when), frame.y(value)) for when, value in line.points]
        if drawn.panel.is_stacked:
            area = _points([*path, *reversed(floor)])
            yield f'<polygon points="{area}" fill="{color}" fill-opacity="0.85"/>'
            floor = path
        else:
            for part in _without_gaps(path, frame.x(window.start + 1.5 * window.step) - frame.left):
                yield f'<polyline class="line" points="{_points(part)}" stroke="{color}"/>'
    yield from _legend(drawn.lines, left, frame.top + _PLOT_HEIGHT + 36)


def _colors(lines: Sequence[Line]) -> list[str]:
    """Return a color for each line: shades of its own where its name tells of an outcome."""
    shades = {color: cycle(each) for color, each in _SHADES.items()}
    others = cycle(_COLORS)
    meant = [
        next((color for pattern, color in SHADES.items() if re.search(pattern, line.name)), None)
        for line in lines
    ]
    return [next(others if color is None else shades[color]) for color in meant]


def _without_gaps(path: Sequence[_Point], most: float) -> list[list[_Point]]:
    """Cut a line where its next point is further away than `most`: there is no number between."""
    parts: list[list[_Point]] = []
    for point in path:
        if not parts or point[0] - parts[-1][-1][0] > most:
            parts.append([])
        parts[-1].append(point)
    return parts


def _points(path: Sequence[_Point]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in path)


def _axes(frame: _Frame, axis: _Axis) -> Iterator[str]:
    right = frame.x(frame.window.end)
    for value, text in axis.marks:
        y = frame.y(value)
        yield f'<line class="grid" x1="{frame.left}" x2="{right}" y1="{y}" y2="{y}"/>'
        yield f'<text class="end" x="{frame.left - 6}" y="{y + 4}">{text}</text>'
    seconds = frame.window.end - frame.window.start
    every = next((m for m in (1, 2, 5, 10, 30, 60) if seconds / 60 / m <= 7), 240)
    for minutes in range(0, int(seconds / 60) + 1, every):
        x = frame.x(frame.window.start + 60 * minutes)
        label = f"{minutes} min" if minutes else "0"
        y = frame.top + _PLOT_HEIGHT + 16
        yield f'<text class="middle" x="{x}" y="{y}">{label}</text>'


def _legend(lines: Sequence[Line], left: float, top: float) -> Iterator[str]:
    for number, (line, color) in enumerate(zip(lines, _colors(lines), strict=True)):
        x = left + _LEFT + number % _LEGEND_COLUMNS * (_WIDTH - _LEFT) / _LEGEND_COLUMNS
        y = top + number // _LEGEND_COLUMNS * _LEGEND_LINE
        yield f'<rect x="{x}" y="{y - 8}" width="10" height="8" fill="{color}"/>'
        yield f'<text x="{x + 15}" y="{y}">{escape(line.name)}</text>'


def _stacked(lines: Sequence[Line]) -> list[Line]:
    """Put each line on top of those before it; one that has no point for a time is 0 then."""
    times = sorted({when for line in lines for when, _ in line.points})
    total = dict.fromkeys(times, 0.0)
    stacked = []
    for line in lines:
        values = dict(line.points)
        total = {when: total[when] + values.get(when, 0.0) for when in times}
        stacked.append(Line(line.name, list(total.items())))
    return stacked


def _axis(most: float, unit: Unit) -> _Axis:
    """Return an axis up to `most` with three to five marks, at numbers that people count in."""
    factors = _FACTORS.get(unit, ((1, ""),))
    most = most or 1.0
    factor, name = next((f for f in factors if most >= f[0]), factors[-1])
    shown = most / factor
    power = 10 ** math.floor(math.log10(shown / 4))
    step = next(power * each for each in (1, 2, 2.5, 5, 10) if shown / (power * each) <= 4.5)
    numbers = [round(step * each, 9) for each in range(math.ceil(shown / step - 1e-9) + 1)]
    return _Axis([(each * factor, f"{each:g}{name}" if each else "0") for each in numbers])
