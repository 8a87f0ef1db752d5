"""Which of many alerts meet which of many conditions. Pure.

A set of alerts is an int with one bit for each. So a matcher costs one step, and one with a regular
expression as many as its label has values among the alerts.
"""

import time
from collections.abc import Iterable, Mapping

from krkn_grpc.resources.alert_matchers import BadCondition, Condition, Matcher, parse
from krkn_grpc.resources.chaos_run import ChaosRun

_PIECE_SECONDS = 0.01


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

    def meeting(self, text: str) -> int:
        """Return the set of the alerts that meet this condition.

        A text that is no condition is met by each alert. Only those who write runs past the service
        can have stored one; a stop too many ends a test, and one too few does not end an accident.
        """
        try:
            condition = parse(text)
        except BadCondition:
            return self._all
        return self._of(condition)

    def _of(self, condition: Condition) -> int:
        found = self._all
        for matcher in condition.matchers:
            if found:
                matched = self._matched(matcher, found)
                found &= ~matched if matcher.is_negated else matched
        return found

    def _matched(self, matcher: Matcher, among: int) -> int:
        """Return those of `among`, and perhaps others, whose label the matcher names."""
        values, expression = self._values.get(matcher.name, {}), matcher.expression
        # A label that is missing has the empty value.
        lacking = self._all & ~self._having.get(matcher.name, 0)
        if expression is None:
            return values.get(matcher.value, 0) | (0 if matcher.value else lacking)
        found = lacking if lacking & among and expression("") else 0
        for value, having in values.items():
            if having & among and expression(value):
                found |= having
        return found


class Search:
    """Finds the runs that have a condition which one of the alerts meets.

    In pieces, because alerts and runs together may need seconds.
    """

    def __init__(self, labels: Iterable[Mapping[str, str]], runs: Iterable[ChaosRun]) -> None:
        """Take the labels of each alert, and the runs to look at."""
        self._alerts = Alerts(labels)
        self._runs = iter(runs)
        self._known: dict[str, int] = {}
        self.matched = 0
        """The set of the alerts that met a condition so far."""
        self.found: list[tuple[ChaosRun, int]] = []
        """The runs so far, each with the index of the first alert that met a condition of it."""

    def go_on(self) -> bool:
        """Look at as many runs as some milliseconds allow; return whether there may be more."""
        end = time.monotonic() + _PIECE_SECONDS
        for run in self._runs:
            if meeting := self._meeting(run):
                self.matched |= meeting
                # The lowest bit that is set.
                self.found.append((run, (meeting & -meeting).bit_length() - 1))
            if time.monotonic() > end:
                return True
        return False

    def _meeting(self, run: ChaosRun) -> int:
        meeting = 0
        for text in run.spec.abort_on:
            # Many runs name the same condition.
            if text not in self._known:
                self._known[text] = self._alerts.meeting(text)
            meeting |= self._known[text]
        return meeting
