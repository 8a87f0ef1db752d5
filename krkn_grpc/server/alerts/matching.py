"""Which of many alerts meet which of many conditions. Pure.

A set of alerts is an int with one bit for each. So a matcher costs one step, and one with a regular
expression as many as its label has values among the alerts.
"""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import TypeAlias

from krkn_grpc.resources.alert_matchers import BadCondition, Condition, Matcher, parse
from krkn_grpc.resources.chaos_run import ChaosRun

LONGEST_VALUE = 4_096
"""Characters of a label's value that expressions are compared with: more would take seconds."""

_PIECE_SECONDS = 0.01

# Yields after each step that may take long, and returns a set of alerts.
Steps: TypeAlias = Generator[None, None, int]


class Alerts:
    """Alerts, by the values of their labels."""

    def __init__(self, labels: Iterable[Mapping[str, str]]) -> None:
        """Take the labels of each alert."""
        self._all = 0
        self._having: dict[str, int] = {}
        self._values: dict[str, dict[str, int]] = {}
        for index, each in enumerate(labels):
            bit = 1 << index
            self._all |= bit
            for name, value in each.items():
                self._having[name] = self._having.get(name, 0) | bit
                values = self._values.setdefault(name, {})
                values[value] = values.get(value, 0) | bit

    def meeting(self, text: str) -> Steps:
        """Find the alerts that meet this condition.

        A text that is no condition is met by each alert. Only those who write runs past the service
        can have stored one; a stop too many ends a test, and one too few does not end an accident.
        For the same reason each expression, negated or not, is met by a value that is too long.
        """
        try:
            condition = parse(text)
        except BadCondition:
            return self._all
        return (yield from self._of(condition))

    def _of(self, condition: Condition) -> Steps:
        found = self._all
        for matcher in condition.matchers:
            if found:
                matched = yield from self._matched(matcher, found)
                found &= ~matched if matcher.is_negated else matched
        return found

    def _matched(self, matcher: Matcher, among: int) -> Steps:
        """Find those of `among`, and perhaps others, whose label the matcher names."""
        values, expression = self._values.get(matcher.name, {}), matcher.expression
        # A label that is missing has the empty value.
        lacking = self._all & ~self._having.get(matcher.name, 0)
        if expression is None:
            return values.get(matcher.value, 0) | (0 if matcher.value else lacking)
        found = lacking if lacking & among and expression("") else 0
        for value, having in values.items():
            if having & among:
                is_too_long = len(value) > LONGEST_VALUE
                if not matcher.is_negated if is_too_long else expression(value):
                    found |= having
                yield
        return found


class Search:
    """Finds the runs that have a condition which one of the alerts meets.

    In pieces, because alerts and runs together may need seconds.
    """

    def __init__(self, labels: Iterable[Mapping[str, str]], runs: Iterable[ChaosRun]) -> None:
        """Take the labels of each alert, and the runs to look at."""
        self._alerts = Alerts(labels)
        self._known: dict[str, int] = {}
        self._steps = self._look_at(runs)
        self.matched = 0
        """The set of the alerts that met a condition so far."""
        self.found: list[tuple[ChaosRun, int]] = []
        """The runs so far, each with the index of the first alert that met a condition of it."""

    def go_on(self) -> bool:
        """Look on for some milliseconds; return whether there may be more."""
        end = time.monotonic() + _PIECE_SECONDS
        return any(time.monotonic() > end for _ in self._steps)

    def _look_at(self, runs: Iterable[ChaosRun]) -> Iterator[None]:
        for run in runs:
            meeting = yield from self._meeting(run)
            if meeting:
                self.matched |= meeting
                # The lowest bit that is set.
                self.found.append((run, (meeting & -meeting).bit_length() - 1))

    def _meeting(self, run: ChaosRun) -> Steps:
        meeting = 0
        for text in run.spec.abort_on:
            # Many runs name the same condition.
            if text not in self._known:
                self._known[text] = yield from self._alerts.meeting(text)
                yield
            meeting |= self._known[text]
        return meeting
