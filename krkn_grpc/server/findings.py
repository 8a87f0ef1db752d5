"""Collects what is wrong with a request, so that the caller hears of all of it at once."""

from krkn_grpc.server.errors import InvalidRequest, Violation


class Findings:
    """The violations found so far."""

    def __init__(self) -> None:
        """Start with none."""
        self._violations: list[Violation] = []

    def expect(self, holds: bool, field: str, rule: str) -> bool:
        """Note that `field` breaks `rule` unless it holds; returns whether it does."""
        if not holds:
            self._violations.append(Violation(field, rule))
        return holds

    def settle(self) -> None:
        """Raise InvalidRequest when anything was found."""
        if self._violations:
            raise InvalidRequest(self._violations)
