"""Fits tables into the width of a terminal: one line per row, at any width. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

GAP = 2
_CUT = "…"


@dataclass(frozen=True)
class Column:
    """A column, and what may be done to it where the terminal is too narrow."""

    title: str
    least: int = 0
    """It may be cut to so many cells; 0: it is not cut."""
    drop: int = 0
    """It may be left out, as it is where it is empty; larger numbers go first. 0: it stays."""
    is_right: bool = False
    """Numbers end at the right."""


@dataclass(frozen=True)
class Fitted:
    """The columns that are left, and the padded cells of the head and of each row."""

    shown: Sequence[int]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def fitted(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None = None
) -> Fitted:
    """Return the cells of a table no wider than `width` cells; without a width nothing is cut."""
    shown = list(range(len(columns)))
    natural = [
        max(cell_len(text) for text in (column.title, *(row[index] for row in rows)))
        for index, column in enumerate(columns)
    ]
    widths = list(natural)
    if width is not None:
        shown = [
            index
            for index, column in enumerate(columns)
            if not column.drop or any(row[index] for row in rows)
        ]
        least = [
            min(size, column.least) if column.least else size
            for column, size in zip(columns, natural, strict=True)
        ]
        shown = _that_fit(columns, least, shown, width)
        _shrink(widths, least, shown, width)

    def line(texts: Sequence[str]) -> list[str]:
        cells = [
            _sized(texts[index], widths[index], is_right=columns[index].is_right) for index in shown
        ]
        # No blanks at the end of a line: they would wrap, or be copied.
        return [*cells[:-1], cells[-1].rstrip()]

    return Fitted(shown, line([each.title for each in columns]), [line(row) for row in rows])


def cut(text: str, width: int) -> str:
    """Return a text of at most `width` cells, its end replaced by … where it is longer."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + _CUT if width > 0 else ""


def _that_fit(
    columns: Sequence[Column], least: Sequence[int], among: Sequence[int], width: int
) -> list[int]:
    """Return the indices of the columns that are shown: those that drop are left out in turn."""
    shown = list(among)
    while _total(least, shown) > width:
        droppable = [index for index in shown if columns[index].drop]
        if not droppable:
            break
        shown.remove(max(droppable, key=lambda index: columns[index].drop))
    return shown


def _shrink(widths: list[int], least: Sequence[int], shown: Sequence[int], width: int) -> None:
    """Take cells from the widest columns that may be cut; where that is not enough, from any."""
    while _total(widths, shown) > width:
        cuttable = [index for index in shown if widths[index] > least[index]]
        cuttable = cuttable or [index for index in shown if widths[index] > 1]
        if not cuttable:
            return
        widths[max(cuttable, key=lambda index: widths[index])] -= 1


def _total(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[index] for index in shown) + GAP * max(0, len(shown) - 1)


def _sized(text: str, width: int, *, is_right: bool) -> str:
    text = cut(text, width)
    blanks = " " * (width - cell_len(text))
    return blanks + text if is_right else text + blanks
