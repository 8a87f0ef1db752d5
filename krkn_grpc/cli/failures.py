"""The message that is printed for a failed call, and the exit code."""

from enum import IntEnum

from krkn_grpc.cli import display
from krkn_grpc.client.errors import DeadlineExceeded, KrknError, Unavailable, cause

# The service lists at most this many.
_MOST_VIOLATIONS = 20

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


class NotFound(Exception):
    """What was named does not exist, or more than one thing has the name; the message says which.

    It is found out by this command, before the call that needs it.
    """


def left_unanswered(error: Exception) -> bool:
    """Whether the service did not answer: it may be unknown if the call was carried out."""
    return isinstance(error, Unavailable)


def exit_code(error: Exception) -> ExitCode:
    """Return the command's exit code for this error."""
    return ExitCode.NO_ANSWER if left_unanswered(error) else ExitCode.REFUSED


def explanation(error: Exception, server: str) -> str:
    """Say in one line what went wrong; what comes from elsewhere moves no terminal."""
    return display.printable(_explanation(error, server))


def _explanation(error: Exception, server: str) -> str:
    if not isinstance(error, KrknError):
        return str(error)
    if error.fields:
        more = "; and more" if len(error.fields) >= _MOST_VIOLATIONS else ""
        return f"{error}{more}"
    if error.reason:
        said = str(error)
        return said + (_ROLE_HINT if said.startswith("you may not ") else _HINTS.get(said, ""))
    if isinstance(error, Unavailable) and not isinstance(error, DeadlineExceeded):
        return unanswered(server, error.said)
    return str(error)


def unanswered(server: str, said: str) -> str:
    """Return why there was no answer, by gRPC's own message."""
    for sign, meaning in _CAUSES.items():
        if sign in said:
            return meaning.format(server=server, host=server.rpartition(":")[0])
    return f"{server} does not answer: {cause(said)}"
