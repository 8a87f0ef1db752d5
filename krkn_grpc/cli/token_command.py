"""Gets the caller's token by running a command, and again before the token expires."""

import base64
import json
import shlex
import subprocess
import time
from collections.abc import Callable

from krkn_grpc.cli.connection import BadToken

_SECONDS = 30.0
# A token is replaced so long before it expires: a call may take a while.
_EARLY_SECONDS = 60.0
# So long one is used that does not say when it expires.
_USUAL_SECONDS = 300.0


def source(command: str, clock: Callable[[], float] = time.time) -> Callable[[], str]:
    """Return a function for the current token; it raises BadToken.

    The command runs without a shell. Its token is kept in memory only.
    """
    token, good_until, ends = "", 0.0, 0.0

    def current() -> str:
        nonlocal token, good_until, ends
        if token and clock() < good_until:
            return token
        try:
            token = _run(command)
        except BadToken:
            # What makes tokens may be away for a moment, in the middle of a long wait.
            if clock() >= ends:
                raise
            return token
        expires = expiry(token)
        ends = clock() if expires is None else expires
        good_until = clock() + _USUAL_SECONDS if expires is None else expires - _EARLY_SECONDS
        return token

    return current


def expiry(token: str) -> float | None:
    """Return when an (unverified) JWT expires, in seconds since 1970; None if it does not say."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        said = json.loads(payload)["exp"]
    except (ValueError, KeyError, TypeError):
        return None
    return float(said) if isinstance(said, int | float) else None


def _run(command: str) -> str:
    try:
        words = shlex.split(command)
        ran = subprocess.run(  # noqa: S603  # it is the user's own
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise BadToken(f"the token command failed: {_why(error)}") from None
    if ran.returncode:
        said = ran.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise BadToken(f"the token command failed (exit code {ran.returncode}): {said[-1]}")
    token = ran.stdout.decode(errors="replace").strip()
    if not token:
        raise BadToken("the token command printed nothing")
    return token


def _why(error: Exception) -> str:
    match error:
        case OSError():
            return f"{error.filename or 'it'}: {error.strerror}"
        case subprocess.TimeoutExpired():
            return f"it took longer than {_SECONDS:g} s"
        case _:
            return str(error)
