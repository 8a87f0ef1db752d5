"""What a call knows of its caller, and what it may ask about them."""

import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from krkn_grpc.server.errors import NotAllowed


class Permission(Protocol):
    """The caller of this call, and what they may do besides the call itself."""

    @property
    def user(self) -> str:
        """The caller's name; empty where callers are not known."""

    @property
    def pulse_seconds(self) -> float | None:
        """How often a stream on which nothing happens must ask `holds`; None: never."""

    async def may_run(self, target_uuid: str) -> bool:
        """Whether the caller may run scenarios on this target."""

    async def holds(self) -> bool:
        """Whether the caller may still do what this call does; asked again every minute."""


@dataclass(frozen=True)
class Everything:
    """The permission of everyone where callers are not authenticated."""

    user: str = ""
    pulse_seconds: float | None = None

    async def may_run(self, target_uuid: str) -> bool:
        """Return True."""
        del target_uuid
        return True

    async def holds(self) -> bool:
        """Return True."""
        return True


@dataclass
class Granted:
    """The permission of a caller that Kubernetes knows."""

    user: str
    may_run_all: Callable[[], Awaitable[bool]]
    may_run_one: Callable[[str], Awaitable[bool]]
    ask_again: Callable[[], Awaitable[bool]]
    recheck_seconds: float
    _asked: float = field(default_factory=time.monotonic)
    _holds: bool = True

    @property
    def pulse_seconds(self) -> float:
        """Half the time for which an answer holds."""
        return self.recheck_seconds / 2

    async def may_run(self, target_uuid: str) -> bool:
        """Ask once for all targets, and for the single one where that is denied."""
        return await self.may_run_all() or await self.may_run_one(target_uuid)

    async def holds(self) -> bool:
        """Ask when the last answer is too old; who was denied stays so.

        Half the time is old enough: were it all of it, what comes just before its end would put
        the question off until the pulse after that.
        """
        if self._holds and time.monotonic() - self._asked >= self.pulse_seconds:
            self._holds = await self.ask_again()
            self._asked = time.monotonic()
        return self._holds


async def require(permission: Permission, what: str) -> None:
    """Raise NotAllowed when the caller may no longer do what the call does."""
    if not await permission.holds():
        raise NotAllowed(f"you may no longer {what}")


_current: ContextVar[Permission] = ContextVar("permission")


def grant(permission: Permission) -> None:
    """Let the current call act under this permission."""
    _current.set(permission)


def current() -> Permission:
    """Return the permission of the current call; LookupError when no gate let it in."""
    return _current.get()
