"""Where the caller's bearer token comes from.

A source is asked before each call, so that a token may be replaced before it expires. When the
service does not accept a token, the source is asked once more, for a fresh one.
"""

import asyncio
import base64
import inspect
import json
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

AUDIENCE = "krkn-grpc"
_COMMAND_SECONDS = 30.0
# A token is replaced when so much of its life is over.
_SHARE = 0.8
_UNKNOWN_LIFE_SECONDS = 300.0
# Calls that are refused so soon after a token was replaced had been sent with the one before.
_REFUSED_TOGETHER_SECONDS = 5.0


class BadToken(ValueError):
    """The given text is not a bearer token, or none could be made."""


class TokenSource(Protocol):
    """Gives the token of a call; "" for none."""

    async def token(self, *, fresh: bool = False) -> str:
        """Return the token; with `fresh`, the last one was refused. Raises BadToken, OSError."""


Token: TypeAlias = TokenSource | str | Callable[[], str] | Callable[[], Awaitable[str]]


class File:
    """A file that holds the token, read before each call; a pipe is read only once."""

    def __init__(self, path: Path | str) -> None:
        """Read from `path`; raises OSError at once if it cannot be read."""
        self._path = Path(path)
        read = self._path.read_text()
        self._once = None if self._path.is_file() else read

    async def token(self, *, fresh: bool = False) -> str:  # noqa: ARG002  # it is always fresh
        """Return what is in the file now; raises OSError and BadToken."""
        text = self._path.read_text() if self._once is None else self._once
        return _checked(text, str(self._path))


class Call:
    """A function, plain or async, that is called before each call of the service."""

    def __init__(
        self,
        function: Callable[[], str] | Callable[[], Awaitable[str]],
        name: str = "the source of the token",
    ) -> None:
        """Ask `function`; a plain one must not block for long. Messages have the `name`."""
        self._function = function
        self._name = name

    async def token(self, *, fresh: bool = False) -> str:  # noqa: ARG002  # it is always fresh
        """Return what the function returns; raises BadToken and what it raises."""
        given = self._function()
        return _checked(await given if inspect.isawaitable(given) else given, self._name)


class Command:
    """A program that prints a token; it runs again before that token expires.

    The token is kept in memory only. The program runs without a shell and without input.
    """

    def __init__(
        self,
        command: Sequence[str],
        name: str = "the token command",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Run `command`; messages have the `name`. `clock` is in seconds since 1970.

        Raises BadToken if it is empty.
        """
        if not command:
            raise BadToken(f"{name} is empty")
        self._command = command
        self._name = name
        self._clock = clock
        self._made = ""
        self._replaced_at = 0.0
        self._ends_at = 0.0
        self._refreshed = float("-inf")
        self._lock = asyncio.Lock()

    async def token(self, *, fresh: bool = False) -> str:
        """Return a token; raises BadToken, with the last line of the program if there is none.

        One that cannot be replaced yet is used until it expires: what makes tokens may be away for
        a moment, in the middle of a long wait.
        """
        async with self._lock:
            # Several calls are refused at once: one fresh token is enough for all of them.
            is_stale = fresh and time.monotonic() - self._refreshed >= _REFUSED_TOGETHER_SECONDS
            if is_stale or self._clock() >= self._replaced_at:
                try:
                    self._made = await self._run()
                except BadToken:
                    if is_stale or self._clock() >= self._ends_at:
                        raise
                else:
                    self._replaced_at, self._ends_at = _life(self._made, self._clock())
                    self._refreshed = time.monotonic() if fresh else self._refreshed
            return self._made

    async def _run(self) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            why = f"{self._command[0]}: {error.strerror}"
            raise BadToken(f"{self._name} cannot be started: {why}") from None
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                out, err = await process.communicate()
        except TimeoutError:
            raise BadToken(f"{self._name} took longer than {_COMMAND_SECONDS:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            [said] = err.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            raise BadToken(f"{self._name} failed (exit code {process.returncode}): {said}")
        made = _checked(out.decode(errors="replace"), self._name)
        if not made:
            raise BadToken(f"{self._name} printed nothing")
        return made


class Kubectl(Command):
    """A token of a ServiceAccount by `kubectl create token`, replaced before it expires."""

    def __init__(
        self,
        account: str,
        *,
        namespace: str = "",
        audience: str = AUDIENCE,
        duration_seconds: int | None = None,
        context: str = "",
        kubeconfig: Path | str | None = None,
        program: str = "kubectl",
    ) -> None:
        """Make tokens of `account`; what is left out is kubectl's own default."""
        options = {
            "--namespace": namespace,
            "--audience": audience,
            "--duration": f"{duration_seconds}s" if duration_seconds else "",
            "--context": context,
            "--kubeconfig": str(kubeconfig or ""),
        }
        given = [f"{name}={value}" for name, value in options.items() if value]
        super().__init__(
            [program, "create", "token", *given, "--", account], "kubectl create token"
        )


def variable(name: str = "KRKN_TOKEN") -> TokenSource:
    """Return a source that reads an environment variable before each call."""
    return Call(lambda: os.environ.get(name, ""), name)


def from_environment(environment: Mapping[str, str] = os.environ) -> TokenSource:
    """Return the default source: the file KRKN_TOKEN_FILE, else KRKN_TOKEN; raises OSError."""
    if name := environment.get("KRKN_TOKEN_FILE"):
        return File(name)
    return Call(lambda: environment.get("KRKN_TOKEN", ""), "KRKN_TOKEN")


def source(token: Token | None) -> TokenSource:
    """Return the source that `token` stands for; None is the environment's. Raises BadToken."""
    if token is None:
        return from_environment()
    if isinstance(token, str):
        text = _checked(token)
        return Call(lambda: text)
    if callable(token):
        return Call(token)
    return token


def _checked(text: str, what: str = "the source of the token") -> str:
    token = text.strip()
    # It becomes a header. The message does not quote it: parts of it may be a token.
    if not token.isascii() or any(each.isspace() or not each.isprintable() for each in token):
        raise BadToken(f"{what} holds no bearer token")
    return token


def _life(token: str, now: float) -> tuple[float, float]:
    """Return when to replace a token, after most of the life that it says it has, and its end."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        ends = float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return (now + _UNKNOWN_LIFE_SECONDS,) * 2
    return now + (ends - now) * _SHARE, ends
