"""Typed errors: what the service refuses, and what does not reach it.

Each is a KrknError. A caller catches the class that it can handle; `reason` distinguishes further.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

_DETAILS = "grpc-status-details-bin"
# How the messages of gRPC's own begin when there is no connection.
_NO_CONNECTION = (
    "connections to all backends failing",
    "failed to connect to all addresses",
    "errors resolving ",
    "DNS resolution failed",
)
# The codes of a cut connection when a proxy is in between.
_CUT = (StatusCode.INTERNAL, StatusCode.UNKNOWN)


@dataclass(frozen=True)
class FieldError:
    """One rule that the request breaks: the field, as REST names it, and a sentence."""

    field: str
    description: str

    def __str__(self) -> str:
        """Return both as one line."""
        return f"{self.field}: {self.description}"


class KrknError(Exception):
    """A call that failed; its text is one line for people.

    `code` is the gRPC code. `reason` is the service's one word for the cause, "" if the error does
    not come from the service. `retry_after` is in seconds: the service did nothing, and the same
    call may succeed then; None where the service does not say so. `request_id` is that of a run
    which was not started, or of which it is not known: with it the same call starts nothing twice.
    """

    def __init__(
        self,
        message: str,
        *,
        code: StatusCode = StatusCode.UNKNOWN,
        reason: str = "",
        retry_after: float | None = None,
        fields: Sequence[FieldError] = (),
        said: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.retry_after = retry_after
        self.fields = tuple(fields)
        self.said = said or message
        self.request_id = ""
        # An earlier attempt of the call had no answer: it may have been carried out.
        self.was_lost_before = False
        # How long the service had held the stream open that this error ended.
        self.stood_seconds = 0.0


class InvalidArgument(KrknError):
    """The request breaks its rules, and nothing was done; `fields` says which (20 at most)."""


class NotFound(KrknError):
    """There is no such object, or the caller may not see it."""


class AlreadyExists(KrknError):
    """Another object has the name or the address.

    `existing` is the other target's uuid where the caller may list targets, else None.
    """

    existing: str | None = None


class RequestIdReused(KrknError):
    """The requestId was used before, for another request; nothing was done."""


class Unauthenticated(KrknError):
    """There is no token, or the service does not accept it."""


class Denied(KrknError):
    """The caller lacks the permission."""


class FailedPrecondition(KrknError):
    """The state of things does not allow the call; `reason` says which: `SECRETS_MISSING`, say."""


class Halted(FailedPrecondition):
    """A halt selects the target, or all targets of the run; the message has its reason."""


class NothingStarted(KrknError):
    """The service took the request, and refused each target: `refused` says why, by target uuid."""

    def __init__(self, refused: Mapping[str, str]) -> None:
        first = next(iter(refused.values()), "there are no targets")
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        super().__init__(f"no job was started: {first}{more}", reason="NOTHING_STARTED")
        self.refused = dict(refused)


class Conflict(KrknError):
    """Somebody else changed the object at the same moment."""


class LimitReached(KrknError):
    """A limit on calls, objects or sizes, or a quota is reached."""


class TooOld(KrknError):
    """The resume token of a watch is too old. The client handles it: a watch does not raise it."""


class Unavailable(KrknError):
    """The service, or the Kubernetes API behind it, did not answer.

    Whether a write was carried out is not known, unless `retry_after` says that it was not.
    """


class DeadlineExceeded(Unavailable):
    """The answer did not come in time."""


class ServiceError(KrknError):
    """A fault of the service, or an answer that this client does not understand."""


class NotReady(KrknError):
    """Targets did not become ready in time; the message says why not."""


_BY_CODE: dict[StatusCode, type[KrknError]] = {
    StatusCode.INVALID_ARGUMENT: InvalidArgument,
    StatusCode.NOT_FOUND: NotFound,
    StatusCode.ALREADY_EXISTS: AlreadyExists,
    StatusCode.UNAUTHENTICATED: Unauthenticated,
    StatusCode.PERMISSION_DENIED: Denied,
    StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    StatusCode.ABORTED: Conflict,
    StatusCode.RESOURCE_EXHAUSTED: LimitReached,
    StatusCode.OUT_OF_RANGE: TooOld,
    StatusCode.UNAVAILABLE: Unavailable,
    StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}
_BY_REASON: dict[str, type[KrknError]] = {
    "Halted": Halted,
    "REQUEST_ID_REUSED": RequestIdReused,
    # Envoy says it with the code UNKNOWN, which no proxy retries.
    "OUTCOME_UNKNOWN": Unavailable,
}
_CODES = {code.value[0]: code for code in StatusCode}


def from_call(error: grpc.RpcError, server: str) -> KrknError:
    """Return the typed error of a failed call to `server` (host:port, for the message)."""
    assert isinstance(error, grpc.Call | grpc.aio.AioRpcError)
    code, said = error.code(), " ".join((error.details() or "").split())
    trailers = dict(error.trailing_metadata() or ())
    return _typed(code, said, _status(code, trailers.get(_DETAILS)), server)


def from_watch(code: int, message: str) -> KrknError:
    """Return the typed error of the message that ended a watch; `code` is the gRPC number."""
    known = _CODES.get(code, StatusCode.UNKNOWN)
    return _BY_CODE.get(known, ServiceError)(message, code=known, reason="WATCH_ENDED")


def cause(said: str) -> str:
    """Return the cause of a message of gRPC's own: it is at the end of a long line.

    That of a name which cannot be resolved ends with the bracket of a list.
    """
    return said.rsplit(": ", 1)[-1].removesuffix("]")


def was_not_sent(error: KrknError) -> bool:
    """Whether the call did not leave this machine: gRPC found no connection for it."""
    return isinstance(error, Unavailable) and error.said.startswith(_NO_CONNECTION)


def was_not_answered(error: KrknError) -> bool:
    """Whether it is unknown if the call was carried out."""
    return isinstance(error, Unavailable) and error.retry_after is None


def _typed(code: StatusCode, said: str, status: status_pb2.Status, server: str) -> KrknError:
    reason, retry_after, fields = "", None, list[FieldError]()
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for packed in status.details:
        if packed.Unpack(info):
            reason = info.reason
        elif packed.Unpack(bad):
            fields = [FieldError(each.field, each.description) for each in bad.field_violations]
        elif packed.Unpack(retry):
            retry_after = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code, ServiceError)
    if not reason and code in _CUT:
        kind = Unavailable
    if fields:
        message = "; ".join(map(str, fields))
    else:
        message = said if reason else _unsaid(kind, code, said, server)
    return kind(
        message, code=code, reason=reason, retry_after=retry_after, fields=fields, said=said
    )


def _unsaid(kind: type[KrknError], code: StatusCode, said: str, server: str) -> str:
    """Return the message of an error that does not come from the service."""
    if kind is DeadlineExceeded:
        return f"{server} did not answer in time"
    if kind is Unavailable:
        return f"{server} does not answer: {cause(said)}"
    return f"{server} answered {code.name}: {said}"


def _status(code: StatusCode, packed: str | bytes | None) -> status_pb2.Status:
    status = status_pb2.Status()
    if isinstance(packed, bytes):
        try:
            status.ParseFromString(packed)
        except ValueError:
            return status_pb2.Status()
    # A proxy that replaced the code leaves the details of another error.
    return status if status.code == code.value[0] else status_pb2.Status()
