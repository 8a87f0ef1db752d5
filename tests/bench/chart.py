"""The ratios as a chart: a bar for each, and a mark where its goal is."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from tests.bench.row import Row

_BAR, _GAP, _TEXT, _WIDTH, _MARGIN = 18, 10, 360, 420, 20
_MOST = 1.2
_STYLE = (
    "text{font:13px sans-serif;fill:#222}.met{fill:#3a7d44}.missed{fill:#b5423c}"
    ".plain{fill:#5b7fa6}.goal{stroke:#222;stroke-width:2}.bare{stroke:#999;stroke-dasharray:3 3}"
)


def svg(rows: Sequence[Row]) -> str:
    """Return the picture of all figures that have a ratio; 1 is as fast as the bare loop."""
    shown = [(row, row.ratio) for row in rows if row.ratio is not None]
    height = 2 * _MARGIN + 20 + len(shown) * (_BAR + _GAP)
    parts = [_line(_x(1), _MARGIN + 10, height - _MARGIN, "bare")]
    parts.append(f'<text x="{_x(1)}" y="{_MARGIN}" text-anchor="middle">the bare loop</text>')
    for index, (row, ratio) in enumerate(shown):
        parts += _bar(row, ratio, _MARGIN + 20 + index * (_BAR + _GAP))
    width = _TEXT + _WIDTH + 3 * _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">'
        f"<style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _bar(row: Row, ratio: float, top: int) -> list[str]:
    kind = {True: "met", False: "missed", None: "plain"}[row.is_met]
    middle, end = top + _BAR - 4, _x(min(ratio, _MOST))
    name = escape(f"{row.group}: {row.name}")
    parts = [
        f'<text x="{_TEXT}" y="{middle}" text-anchor="end">{name}</text>',
        f'<rect class="{kind}" x="{_x(0)}" y="{top}" width="{end - _x(0)}" height="{_BAR}"/>',
        f'<text x="{end + 6}" y="{middle}">{ratio:.2f}</text>',
    ]
    if row.goal is not None:
        parts.append(_line(_x(row.goal.bound), top - 3, top + _BAR + 3, "goal"))
    return parts


def _line(x: float, top: float, bottom: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>'


def _x(ratio: float) -> float:
    return round(_TEXT + 10 + ratio / _MOST * _WIDTH, 1)
