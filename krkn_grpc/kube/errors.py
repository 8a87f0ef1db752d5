"""What the Kubernetes API can answer, as exceptions to be caught by class.

Source: the reasons of `metav1.Status`. The text of the API server is kept for the log; whoever
answers a client writes a sentence of their own.
"""

import re
from typing import Protocol


class KubeError(Exception):
    """The API server did not do what it was asked."""

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        """Keep the API server's message and the seconds it asked to wait, if it did."""
        super().__init__(message)
        self.retry_after = retry_after


class NotFound(KubeError):
    """There is no such object."""


class AlreadyExists(KubeError):
    """There is an object of this name."""


class Conflict(KubeError):
    """The object is not what the precondition says: it changed, or it is another one."""


class Expired(KubeError):
    """The resource version or page token is too old: list again."""


class Invalid(KubeError):
    """The object breaks its schema or a validation rule."""


class Forbidden(KubeError):
    """Our account may not do this."""


class NotAuthorized(Forbidden):
    """Our account is not known, or no role of it allows this."""


class QuotaExceeded(Forbidden):
    """A ResourceQuota of the namespace is used up."""


class NotWritten(KubeError):
    """Nothing was written and it may be tried again: throttled, or never connected."""


class OutcomeUnknown(KubeError):
    """The request was sent and no usable answer came: a write may have taken effect."""


class Unreadable(OutcomeUnknown):
    """What came is no answer of the API server's: of a proxy before it, or broken on the way."""


class _Status(Protocol):
    reason: str
    message: str


_BY_REASON: dict[str, type[KubeError]] = {
    "NotFound": NotFound,
    "AlreadyExists": AlreadyExists,
    "Conflict": Conflict,
    "Expired": Expired,
    "Gone": Expired,
    "Invalid": Invalid,
    "BadRequest": Invalid,
    "Forbidden": Forbidden,
    "Unauthorized": NotAuthorized,
    "TooManyRequests": NotWritten,
}
_BY_CODE: dict[int, type[KubeError]] = {
    400: Invalid,
    401: NotAuthorized,
    403: Forbidden,
    # With a reason it is the API server's, and NotFound. Whoever else has nothing at a path says
    # nothing about what the API server has.
    404: Unreadable,
    409: Conflict,
    410: Expired,
    422: Invalid,
    429: NotWritten,
}


# How the authorizer says it; quotas and admission say other things.
_NO_ROLE = re.compile(r'User "[^"]*" cannot ')


def from_answer(code: int, status: _Status, retry_after: float | None) -> KubeError:
    """Return the error for a refusal by the API server.

    What is neither known by reason nor by code (500, 503, 504 and the like) may have taken
    effect, so it is OutcomeUnknown.
    """
    kind = _BY_REASON.get(status.reason) or _BY_CODE.get(code, OutcomeUnknown)
    if kind is Forbidden and "exceeded quota" in status.message:
        kind = QuotaExceeded
    elif kind is Forbidden and _NO_ROLE.search(status.message):
        kind = NotAuthorized
    return kind(f"{code} {status.reason}: {status.message}", retry_after=retry_after)
