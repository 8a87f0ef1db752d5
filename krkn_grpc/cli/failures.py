"""What a call that failed means: whether it may be repeated, what to say, how to exit."""

from enum import IntEnum
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode
from grpc_status import rpc_status

# The service lists no more of them.
_MOST_VIOLATIONS = 20
_AWAY = (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED)
# What a connection that is cut looks like when something stands in between.
_CUT = (StatusCode.INTERNAL, StatusCode.UNKNOWN)
D = TypeVar("D", bound=Message)


class ExitCode(IntEnum):
    """How the command ends."""

    DONE = 0
    NOT_ALL_WELL = 1
    USAGE = 2
    REFUSED = 3
    NO_ANSWER = 4


EXPLAINED = (
    "Exit codes: 0 done; 1 a scenario was refused, failed or was stopped; 2 wrong usage; "
    "3 the service refused the call; 4 the service did not answer."
)


class WatchEnded(Exception):
    """A watch ended; what the server said of it stands in place of a status."""

    def __init__(self, code: StatusCode, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.code = code


def code_of(error: Exception) -> StatusCode | None:
    """Return the gRPC code, None for an error that has none."""
    match error:
        case grpc.RpcError():
            return error.code()
        case WatchEnded():
            return error.code
        case _:
            return None


def left_unanswered(error: Exception) -> bool:
    """Whether the call may or may not have been carried out: nobody said."""
    code = code_of(error)
    return code in _AWAY or (code in _CUT and not _is_from_the_service(error))


def is_invited_again(error: Exception) -> bool:
    """Whether the server itself says that the call may be sent again: nothing was done."""
    return _detail(error, error_details_pb2.RetryInfo) is not None


def exit_code(error: Exception) -> ExitCode:
    """Return how the command ends with this error."""
    return ExitCode.NO_ANSWER if left_unanswered(error) else ExitCode.REFUSED


def explanation(error: Exception, server: str) -> str:
    """Say in one line what went wrong."""
    if not isinstance(error, grpc.RpcError):
        return str(error)
    code, said = error.code(), " ".join((error.details() or "").split())
    bad = _detail(error, error_details_pb2.BadRequest)
    if bad is not None and bad.field_violations:
        listed = [f"{each.field}: {each.description}" for each in bad.field_violations]
        return "; ".join([*listed, "and more"] if len(listed) >= _MOST_VIOLATIONS else listed)
    if _is_from_the_service(error):
        return said
    if code is StatusCode.DEADLINE_EXCEEDED:
        return f"{server} did not answer in time"
    if left_unanswered(error):
        # Said by gRPC: the cause stands at the end of a long line.
        return f"{server} does not answer: {said.rsplit(': ', 1)[-1]}"
    return f"{server} answered {code.name}: {said}"


def _is_from_the_service(error: Exception) -> bool:
    return _detail(error, error_details_pb2.ErrorInfo) is not None


def _detail(error: Exception, kind: type[D]) -> D | None:
    """Return the detail of this type that the service sent along, None if there is none."""
    for packed in _status(error).details:
        detail = kind()
        if packed.Unpack(detail):
            return detail
    return None


def _status(error: Exception) -> status_pb2.Status:
    if not isinstance(error, grpc.Call):
        return status_pb2.Status()
    try:
        return rpc_status.from_call(error) or status_pb2.Status()
    except ValueError:
        # Something in between replaced the code or the message: its details are another error's.
        return status_pb2.Status()
