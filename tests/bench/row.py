"""One figure, with what it is compared to."""

from statistics import median
from typing import Literal, Self

import msgspec


class Goal(msgspec.Struct, frozen=True):
    """What a figure should be: of the ratio where there is one, else of the value."""

    bound: float
    kind: Literal["at least", "at most"]

    def is_met_by(self, figure: float) -> bool:
        """Whether the figure is on the right side of the bound."""
        return figure >= self.bound if self.kind == "at least" else figure <= self.bound

    def __str__(self) -> str:
        """Say it for people."""
        return f"{'≥' if self.kind == 'at least' else '≤'} {self.bound:g}"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A figure: the median of its rounds where it has some."""

    group: str
    name: str
    value: float
    unit: str
    bare: float | None = None
    """The same of the bare loop."""
    ratio: float | None = None
    """How near ours comes to the bare loop: 1 is as fast, 0.5 half as fast."""
    goal: Goal | None = None
    rounds: list[float] = []
    bare_rounds: list[float] = []
    note: str = ""
    series: str = ""
    """What was measured at several sizes; empty where it was not."""
    count: int = 0
    """The size: how many jobs or targets."""

    @classmethod
    def of_times(
        cls,
        group: str,
        name: str,
        ours: list[float],
        bare: list[float],
        *,
        goal: Goal | None = None,
        note: str = "",
        series: str = "",
        count: int = 0,
    ) -> Self:
        """Return the row of times in seconds, measured in turn, in milliseconds.

        The ratio is the median of the ratios of neighbours, which were measured under the same
        load of the machine.
        """
        return cls(
            group=group,
            name=name,
            value=1000 * median(ours),
            unit="ms",
            bare=1000 * median(bare),
            ratio=median(b / o for o, b in zip(ours, bare, strict=True)),
            goal=goal,
            rounds=[1000 * seconds for seconds in ours],
            bare_rounds=[1000 * seconds for seconds in bare],
            note=note,
            series=series,
            count=count,
        )

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        return self.goal.is_met_by(self.value if self.ratio is None else self.ratio)
