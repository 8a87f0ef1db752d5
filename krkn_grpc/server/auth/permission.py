"""What a call knows of its caller, and what it may ask about them."""

import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

_ASK_AGAIN_SECONDS = 60.0


class Permission(Protocol):
    """The caller of this call, and what they may do besides the call itself."""

    @property
    def user(self) -> str:
        """The caller's name; empty where callers are not known."""

    async def may_run(self, target_uuid: str) -> bool:
        """Whether the caller may run scenarios on this target."""

    async def holds(self) -> bool:
        """Whether the caller may still do what this call does; asked again every minute."""


@dataclass(frozen=True)
class Everything:
    """The permission of everyone where callers are not authenticated."""

    user: str = ""

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
    _asked: float = field(default_factory=time.monotonic)

    async def may_run(self, target_uuid: str) -> bool:
        """Ask once for all targets, and for the single one where that is denied."""
        return await self.may_run_all() or await self.may_run_one(target_uuid)

    async def holds(self) -> bool:
        """Ask when the last answer is a minute old."""
        if time.monotonic() - self._asked < _ASK_AGAIN_SECONDS:
            return True
        self._asked = time.monotonic()
        return await self.ask_again()


_current: ContextVar[Permission] = ContextVar("permission")


def grant(permission: Permission) -> None:
    """Let the current call act under this permission."""
    _current.set(permission)


def current() -> Permission:
    """Return the permission of the current call; LookupError when no gate let it in."""
    return _current.get()
