"""The errors of a call, and the one table that maps them to the caller's status.

A class that is not in the table is looked up by its base classes; a class without an entry is an
internal error, and its text goes to the log alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from grpc import StatusCode

from krkn_grpc.kube import errors as kube
from krkn_grpc.reservations.leases import Taken
from krkn_grpc.resources.violation import Violation

E = TypeVar("E", bound=BaseException)

# gRPC has 8 KiB for an error with all its details, and a name from a caller may be long.
_LONGEST_FIELD = 160
_LONGEST_DESCRIPTION = 200


def shortened(violation: Violation) -> Violation:
    """Return the violation, cut to the lengths that a reply can hold."""
    return Violation(
        _cut(violation.field, _LONGEST_FIELD), _cut(violation.description, _LONGEST_DESCRIPTION)
    )


class CallError(Exception):
    """An error whose text is meant for the caller."""


class InvalidRequest(CallError):
    """The request breaks its rules; nothing was looked up or written."""

    def __init__(self, violations: Sequence[Violation], total: int = 1) -> None:
        """Keep these violations; the message has the first one and the total number."""
        first, total = shortened(violations[0]), max(total, len(violations))
        more = f" (and {total - 1} more, {total} in all)" if total > 1 else ""
        super().__init__(f"{first.field}: {first.description}{more}")
        self.violations = tuple(violations)


TOO_LATE = "the time of the call was over"
# The same text for an absent target and for one that the caller may not see.
NO_SUCH_TARGET = "there is no such target"


class NoSuch(CallError):
    """The named object does not exist, or the caller may not see it."""


class LogGone(NoSuch):
    """The job's log is gone with its pod, and so is what was kept of it, if any was."""


class NotAuthenticated(CallError):
    """The caller is not authenticated."""


class NotAllowed(CallError):
    """The caller lacks the permission; raised before any lookup."""


class NotReceived(CallError):
    """The call came without its request."""


class TooSlow(CallError):
    """The call's request took too long to arrive."""


class TooLarge(CallError):
    """The call's request is larger than its method accepts."""


class TooMany(CallError):
    """A limit on concurrent calls, memory or rate is reached."""


class LimitReached(CallError):
    """The caller has as many objects of this kind as one may have."""


class RequestIdReused(CallError):
    """The requestId was used before, for another body."""


class RetryNotSafe(CallError):
    """The call is a retry, and it is unknown whether the earlier attempt took effect."""


class SecretsMissing(CallError):
    """The run had secret inputs that the request does not give again."""


class NothingToRerun(CallError):
    """No target of the run has failed."""


class OutcomesGone(CallError):
    """Some of the run's jobs are deleted, and it is not known which of them have failed."""


class Halted(CallError):
    """A halt selects the target, or all targets of the run."""


class Changed(CallError):
    """Somebody else changed the object at the same moment."""


class Adopted(CallError):
    """The target belongs to another provider and is only read here."""


class TokenTooOld(CallError):
    """The changes after the token's position are no longer kept."""


class Unreachable(CallError):
    """The Kubernetes API could not be asked and nothing was written."""


class Unsettled(CallError):
    """A write was sent and its outcome is not known."""


@dataclass(frozen=True)
class Answer:
    """The status that callers get for a class of errors.

    `message` replaces the error's own text where that text does not come from this service.
    """

    code: StatusCode
    reason: str
    message: str | None = None
    retry_is_safe: bool = False
    http_code: int | None = None
    """The REST status, where it is not the one that the code is mapped to."""


INTERNAL = Answer(StatusCode.INTERNAL, "INTERNAL", "internal error")

_AWAY = "the Kubernetes API cannot be reached now"
# The rule's own message goes to the log only: it may repeat the object's content.
_RULE = "a rule of the cluster (a policy or an admission webhook) does not allow it"
ANSWERS: dict[type[BaseException], Answer] = {
    InvalidRequest: Answer(StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    NotAuthenticated: Answer(StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"),
    NotAllowed: Answer(StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"),
    NoSuch: Answer(StatusCode.NOT_FOUND, "NOT_FOUND"),
    LogGone: Answer(StatusCode.NOT_FOUND, "NOT_FOUND"),
    NotReceived: Answer(StatusCode.INVALID_ARGUMENT, "REQUEST_MISSING"),
    TooSlow: Answer(StatusCode.DEADLINE_EXCEEDED, "REQUEST_TOO_SLOW"),
    # The same code as gRPC uses for a message that is too large for every method.
    TooLarge: Answer(StatusCode.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE"),
    # Raised before anything was done.
    TooMany: Answer(StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", retry_is_safe=True),
    LimitReached: Answer(StatusCode.RESOURCE_EXHAUSTED, "LIMIT_REACHED"),
    Taken: Answer(StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS"),
    RequestIdReused: Answer(StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED"),
    # FAILED_PRECONDITION: no client retries it.
    RetryNotSafe: Answer(StatusCode.FAILED_PRECONDITION, "RETRY_NOT_SAFE"),
    SecretsMissing: Answer(StatusCode.FAILED_PRECONDITION, "SECRETS_MISSING"),
    NothingToRerun: Answer(StatusCode.FAILED_PRECONDITION, "NOTHING_TO_RERUN"),
    OutcomesGone: Answer(StatusCode.FAILED_PRECONDITION, "OUTCOMES_GONE"),
    Halted: Answer(StatusCode.FAILED_PRECONDITION, "Halted"),
    Changed: Answer(StatusCode.ABORTED, "CONFLICT"),
    # No client retries it either. To REST clients it is a conflict with the state of the target.
    Adopted: Answer(StatusCode.FAILED_PRECONDITION, "ADOPTED", http_code=409),
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
    # Only for rules of the cluster; a missing role of our own account is INTERNAL.
    kube.Forbidden: Answer(StatusCode.FAILED_PRECONDITION, "RULE_OF_THE_CLUSTER", _RULE),
    kube.RuleBroken: Answer(StatusCode.FAILED_PRECONDITION, "RULE_OF_THE_CLUSTER", _RULE),
    kube.NotAuthorized: INTERNAL,
    kube.NamespaceGone: Answer(
        StatusCode.FAILED_PRECONDITION,
        "NAMESPACE_GONE",
        "the namespace of the service is being deleted",
    ),
    kube.QuotaBusy: Answer(
        StatusCode.UNAVAILABLE,
        "QUOTA_BUSY",
        "a quota of the namespace could not be counted in time; nothing was written",
        retry_is_safe=True,
    ),
    kube.WebhookAway: Answer(
        StatusCode.UNAVAILABLE,
        "WEBHOOK_AWAY",
        "an admission webhook of the cluster does not answer; nothing was written",
        retry_is_safe=True,
    ),
    kube.NotWritten: Answer(
        StatusCode.UNAVAILABLE, "KUBERNETES_UNAVAILABLE", _AWAY, retry_is_safe=True
    ),
    kube.OutcomeUnknown: Answer(StatusCode.UNAVAILABLE, "KUBERNETES_UNAVAILABLE", _AWAY),
    kube.TooDeep: Answer(
        StatusCode.FAILED_PRECONDITION,
        "TOO_DEEP",
        "the object is nested deeper than this service reads",
    ),
    kube.Unreadable: Answer(StatusCode.UNAVAILABLE, "KUBERNETES_UNAVAILABLE", _AWAY),
}


def answer_for(error: BaseException) -> Answer:
    """Return the table's row for the error's class or the nearest of its bases."""
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return ANSWERS[kind]
    return INTERNAL


def without_frames(error: E) -> E:
    """Remove the tracebacks from the error and its contexts, and return it.

    Their frames hold all objects of the call, also its request: too much for an error that is kept.
    """
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__context__
    return error


def _cut(text: str, size: int) -> str:
    """Return the text, cut to at most `size` bytes of UTF-8."""
    return text.encode()[:size].decode(errors="ignore")


# A reply has room for some violations; the others are only counted.
_MOST_KEPT = 100


class Findings:
    """The violations found so far."""

    def __init__(self) -> None:
        """Start with none."""
        self._violations: list[Violation] = []
        self._total = 0

    def expect(self, holds: bool, field: str, rule: str) -> bool:
        """Note that `field` breaks `rule` unless it holds; returns whether it does."""
        if not holds:
            self._total += 1
            if self._total <= _MOST_KEPT:
                self._violations.append(Violation(field, rule))
        return holds

    def settle(self) -> None:
        """Raise InvalidRequest if there is any violation."""
        if self._violations:
            raise InvalidRequest(self._violations, self._total)
