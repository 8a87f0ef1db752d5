"""Classifies failed calls: whether to retry, the message to print, the exit code."""

from enum import IntEnum
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode
from grpc_status import rpc_status

# The service lists at most this many.
_MOST_VIOLATIONS = 20
_AWAY = (StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED)
# The codes of a cut connection when a proxy is in between.
_CUT = (StatusCode.INTERNAL, StatusCode.UNKNOWN)
D = TypeVar("D", bound=Message)

_CAUSES = {
    "WRONG_VERSION_NUMBER": "{server} speaks no TLS: use http://{server} or --no-tls",
    "Domain name not found": "there is no host {host}",
    "Expected SETTINGS frame": "{server} is not krkn-grpc, or needs TLS: it answers HTTP/1 only",
    "CERTIFICATE_VERIFY_FAILED": (
        "the certificate of {server} is not trusted: give its CA with --ca or KRKN_CA"
    ),
}
"""What a part of gRPC's messages means."""

_HINTS = {
    "a bearer token is required": (
        ": set KRKN_TOKEN_FILE or KRKN_TOKEN, to what "
        "`kubectl create token ACCOUNT --audience krkn-grpc` prints, say"
    ),
    "the bearer token is not accepted": (
        ": it may have expired, or be for another audience than krkn-grpc "
        "(kubectl create token ACCOUNT --audience krkn-grpc)"
    ),
}
"""What can be done about what the service says."""

_ROLE_HINT = (
    ": an administrator binds a role that allows it, such as krkn-viewer or krkn-runner "
    "(deploy/rbac/user-roles.yaml); it counts after 10 s"
)


class ExitCode(IntEnum):
    """The exit codes of the command."""

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
    """A watch ended; its code and message come from the server's last message, not a status."""

    def __init__(self, code: StatusCode, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.code = code


class NotFound(Exception):
    """What was named does not exist, or more than one thing has the name; the message says which.

    It is found out by this command, before the call that needs it.
    """


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
    """Whether it is unknown if the call was carried out: the service did not answer."""
    code = code_of(error)
    return code in _AWAY or (code in _CUT and not _is_from_the_service(error))


def is_invited_again(error: Exception) -> bool:
    """Whether the server says that the call did nothing and may be retried."""
    return _detail(error, error_details_pb2.RetryInfo) is not None


def exit_code(error: Exception) -> ExitCode:
    """Return the command's exit code for this error."""
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
        return said + (_ROLE_HINT if said.startswith("you may not ") else _HINTS.get(said, ""))
    if code is StatusCode.DEADLINE_EXCEEDED:
        return f"{server} did not answer in time"
    if left_unanswered(error):
        return unanswered(server, said)
    return f"{server} answered {code.name}: {said}"


def unanswered(server: str, said: str) -> str:
    """Return why there was no answer, by gRPC's own message."""
    for sign, meaning in _CAUSES.items():
        if sign in said:
            return meaning.format(server=server, host=server.rpartition(":")[0])
    # The cause is at the end of a long line.
    return f"{server} does not answer: {said.rsplit(': ', 1)[-1]}"


def _is_from_the_service(error: Exception) -> bool:
    return _detail(error, error_details_pb2.ErrorInfo) is not None


def _detail(error: Exception, kind: type[D]) -> D | None:
    """Return the error detail of this type from the service, None if there is none."""
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
        # A proxy replaced the code or the message: the details belong to another error.
        return status_pb2.Status()
