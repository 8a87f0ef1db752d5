"""What can go wrong in a call, and the one table of what the caller is told.

A class that is not in the table is looked up by its bases; what is found nowhere is an internal
error, and its text goes to the log alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from grpc import StatusCode

from krkn_grpc.admission.reservations import Taken
from krkn_grpc.kube import errors as kube

# gRPC has 8 KiB for all that is said of an error, and a name that a caller chose may be long.
_LONGEST_FIELD = 160
_LONGEST_DESCRIPTION = 200


class Violation(NamedTuple):
    """One field of a request that breaks a rule: its JSON path, and what the rule is."""

    field: str
    description: str

    def shortened(self) -> "Violation":
        """Return what a reply can hold of it."""
        return Violation(
            _cut(self.field, _LONGEST_FIELD), _cut(self.description, _LONGEST_DESCRIPTION)
        )


class CallError(Exception):
    """An error whose text is meant for the caller."""


class InvalidRequest(CallError):
    """The request breaks its rules; nothing was looked up or written."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        """Keep all violations; the message names the first and the total."""
        first, *others = violations
        first = first.shortened()
        more = f" (and {len(others)} more, {len(violations)} in all)" if others else ""
        super().__init__(f"{first.field}: {first.description}{more}")
        self.violations = tuple(violations)


# Said in the same words wherever a target is absent or the caller may not know of it.
NO_SUCH_TARGET = "there is no such target"


class NoSuch(CallError):
    """The thing that was named does not exist, or the caller may not see it."""


class NotAuthenticated(CallError):
    """Who is calling is not known."""


class NotAllowed(CallError):
    """The caller may not do this; it is said before anything is looked up."""


class NotReceived(CallError):
    """The call came without its request."""


class TooSlow(CallError):
    """The call's request took too long to arrive."""


class TooMany(CallError):
    """There is no room for another call of this kind now."""


class RequestIdReused(CallError):
    """The requestId was used before, for another body."""


class Changed(CallError):
    """Somebody else changed the object at the same moment."""


class TokenTooOld(CallError):
    """What the token goes on from is no longer kept."""


class Unreachable(CallError):
    """The Kubernetes API could not be asked and nothing was written."""


class Unsettled(CallError):
    """A write was sent and its outcome is not known."""


@dataclass(frozen=True)
class Answer:
    """What a class of errors looks like from outside.

    `message` replaces the error's own text where that text is not ours.
    """

    code: StatusCode
    reason: str
    message: str | None = None
    retry_is_safe: bool = False


INTERNAL = Answer(StatusCode.INTERNAL, "INTERNAL", "internal error")

_AWAY = "the Kubernetes API cannot be reached now"
ANSWERS: dict[type[BaseException], Answer] = {
    InvalidRequest: Answer(StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    NotAuthenticated: Answer(StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
    NotAllowed: Answer(StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"),
    NoSuch: Answer(StatusCode.NOT_FOUND, "NOT_FOUND"),
    NotReceived: Answer(StatusCode.INVALID_ARGUMENT, "REQUEST_MISSING"),
    TooSlow: Answer(StatusCode.DEADLINE_EXCEEDED, "REQUEST_TOO_SLOW"),
    # Said before the request was received.
    TooMany: Answer(StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", retry_is_safe=True),
    Taken: Answer(StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS"),
    RequestIdReused: Answer(StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"),
    Changed: Answer(StatusCode.ABORTED, "CONFLICT"),
    TokenTooOld: Answer(StatusCode.OUT_OF_RANGE, "TOKEN_TOO_OLD"),
    Unreachable: Answer(StatusCode.UNAVAILABLE, "KUBERNETES_UNAVAILABLE", retry_is_safe=True),
    Unsettled: Answer(StatusCode.UNAVAILABLE, "OUTCOME_UNKNOWN"),
    kube.NotFound: Answer(StatusCode.NOT_FOUND, "NOT_FOUND", "there is no such resource"),
    kube.AlreadyExists: Answer(StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS", "it exists already"),
    kube.Conflict: Answer(StatusCode.ABORTED, "CONFLICT", "it was changed at the same moment"),
    kube.QuotaExceeded: Answer(
        StatusCode.RESOURCE_EXHAUSTED,
        "QUOTA_EXCEEDED",
        "a quota of the namespace is used up",
    ),
    kube.NotWritten: Answer(
        StatusCode.UNAVAILABLE, "KUBERNETES_UNAVAILABLE", _AWAY, retry_is_safe=True
    ),
    kube.OutcomeUnknown: Answer(StatusCode.UNAVAILABLE, "KUBERNETES_UNAVAILABLE", _AWAY),
    kube.Unreadable: Answer(StatusCode.UNAVAILABLE, "KUBERNETES_UNAVAILABLE", _AWAY),
}


def answer_for(error: BaseException) -> Answer:
    """Return the table's row for the error's class or the nearest of its bases."""
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return ANSWERS[kind]
    return INTERNAL


def _cut(text: str, size: int) -> str:
    """Return as much of the text as has so many bytes of UTF-8."""
    return text.encode()[:size].decode(errors="ignore")
