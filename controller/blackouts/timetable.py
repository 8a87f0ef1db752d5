"""Which blackouts are in force at a time, and when that changes. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from krkn_grpc.resources.blackout import Blackout
from krkn_grpc.resources.blackout_schedule import Span


@dataclass(frozen=True)
class InForce:
    """A blackout that is in force, and when it ends; `until` is None where that is not known."""

    blackout: Blackout
    until: datetime | None

    @property
    def stops_running(self) -> bool:
        """Whether it stops what runs. One that cannot be read may be meant for another time."""
        return self.blackout.spec.stop_running and self.blackout.problem is None

    @property
    def message(self) -> str:
        """A sentence for those whose job waits: which blackout, and when it ends."""
        name = self.blackout.metadata.name
        if (problem := self.blackout.problem) is not None:
            return f"Blackout {name} cannot be read (spec.{problem.field}): it blocks at all times."
        if self.until is None:
            return f"Blackout {name} is in force; its end is not known."
        return f"Blackout {name} is in force until {self.until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}."


@dataclass
class Timetable:
    """Keeps the span that each blackout is in, so that a schedule is read once in each of them."""

    _spans: dict[tuple[str, int], Span] = field(default_factory=dict)

    def in_force(self, blackouts: Iterable[Blackout], now: datetime) -> tuple[InForce, ...]:
        """Return those of all blackouts that are in force, in the same order."""
        spans: dict[tuple[str, int], Span] = {}
        found = []
        for blackout in blackouts:
            if (times := blackout.times) is None:
                found.append(InForce(blackout, None))
                continue
            key = blackout.metadata.uid, blackout.metadata.generation
            span = self._spans.get(key)
            if span is None or not span.has(now):
                span = times.span_at(now)
            spans[key] = span
            if span.is_blackout:
                found.append(InForce(blackout, span.end if span.is_last else None))
        self._spans = spans
        return tuple(found)

    @property
    def next_change(self) -> datetime | None:
        """When to look again after the last look; None: nothing begins or ends by itself."""
        return min(
            (span.end for span in self._spans.values() if span.end is not None), default=None
        )
