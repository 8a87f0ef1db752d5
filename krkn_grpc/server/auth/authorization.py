"""The permissions of a call's caller."""

import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from krkn_grpc.resources import ids
from krkn_grpc.server.auth.policy import TARGETS
from krkn_grpc.server.errors import NotAllowed


class Permission(Protocol):
    """The caller of this call, and their permissions beyond the call itself."""

    @property
    def user(self) -> str:
        """The caller's name; empty without authentication."""

    @property
    def heartbeat_seconds(self) -> float | None:
        """The interval at which a quiet stream must call `holds`; None: never."""

    async def may(self, verb: str, resource: str, name: str = "") -> bool:
        """Whether the caller may do this with the object of this name; without one, with all."""

    async def may_run_all(self) -> bool:
        """Whether the caller may run scenarios on every target."""

    async def may_run(self, target_uuid: str) -> bool:
        """Whether the caller may run scenarios on this target."""

    async def holds(self) -> bool:
        """Whether the caller still has the permission for this call; checked again every minute."""


@dataclass(frozen=True)
class Everything:
    """The permission of every caller without authentication."""

    user: str = ""
    heartbeat_seconds: float | None = None

    async def may(self, verb: str, resource: str, name: str = "") -> bool:
        """Return True."""
        del verb, resource, name
        return True

    async def may_run_all(self) -> bool:
        """Return True."""
        return True

    async def may_run(self, target_uuid: str) -> bool:
        """Return True."""
        del target_uuid
        return True

    async def holds(self) -> bool:
        """Return True."""
        return True


@dataclass
class Granted:
    """The permission of an authenticated caller."""

    user: str
    ask: Callable[[str, str, str], Awaitable[bool]]
    """Whether the caller has this verb on this resource, for the object of this name."""

    ask_again: Callable[[], Awaitable[bool]]
    recheck_seconds: float
    _asked: float = field(default_factory=time.monotonic)
    _holds: bool = True

    @property
    def heartbeat_seconds(self) -> float:
        """Half of `recheck_seconds`."""
        return self.recheck_seconds / 2

    async def may(self, verb: str, resource: str, name: str = "") -> bool:
        """Ask for all objects first, and for the one of this name if that is denied."""
        if await self.ask(verb, resource, ""):
            return True
        # Every name is an id; other text names no object.
        return ids.is_id(name) and await self.ask(verb, resource, name)

    async def may_run_all(self) -> bool:
        """Ask for the permission on all targets, without a name."""
        return await self.may("run", TARGETS)

    async def may_run(self, target_uuid: str) -> bool:
        """Ask for all targets first, and for this one if that is denied."""
        return await self.may("run", TARGETS, target_uuid)

    async def holds(self) -> bool:
        """Ask again when the last answer is too old; a denial is final.

        An answer is too old after half of `recheck_seconds`: with the whole time, a message just
        before its end would delay the check until the next heartbeat.
        """
        if self._holds and time.monotonic() - self._asked >= self.heartbeat_seconds:
            self._holds = await self.ask_again()
            self._asked = time.monotonic()
        return self._holds


async def require(permission: Permission, what: str) -> None:
    """Raise NotAllowed when the caller no longer has the permission for this call."""
    if not await permission.holds():
        raise NotAllowed(f"you may no longer {what}")


_current: ContextVar[Permission] = ContextVar("permission")


def grant(permission: Permission) -> None:
    """Set the permission of the current call."""
    _current.set(permission)


def current() -> Permission:
    """Return the permission of the current call; raises LookupError when there is none."""
    return _current.get()
