"""Error reports of the checks: a value check raises Refused, a reader collects the violations."""

from collections.abc import Callable
from typing import TypeVar

from krkn_grpc.resources.kubeconfig.model import KubeconfigError
from krkn_grpc.resources.violation import Violation

Value = TypeVar("Value")
Given = TypeVar("Given")


class Refused(Exception):
    """One value is refused; the sentence says why and repeats nothing of the value."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Findings:
    """The violations found so far, so that a caller learns of all of them at once."""

    def __init__(self) -> None:
        self._violations: list[Violation] = []

    def add(self, field: str, sentence: str) -> None:
        """Record a violation."""
        self._violations.append(Violation(field, sentence))

    def check(self, field: str, check: Callable[[Given], Value], given: Given) -> Value | None:
        """Return the checked value, or record why it was refused and return None."""
        try:
            return check(given)
        except Refused as refused:
            self.add(field, refused.sentence)
            return None

    def conclude(self, value: Value | None) -> Value:
        """Return the value, or raise KubeconfigError if there is a violation."""
        if self._violations:
            raise KubeconfigError(self._violations)
        assert value is not None, "nothing was made, yet nothing is wrong"
        return value
