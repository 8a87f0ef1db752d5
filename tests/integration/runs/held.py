"""Moments at which a server is held: what it asks the API server is not sent, or not answered."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.api_proxy import ApiProxy, Call, Cut, for_ever, open_gate
from tests.support.custom_objects import JOBS

Matches = Callable[[Call], object]


@contextlib.asynccontextmanager
async def a_proxy(control_plane: ControlPlane) -> AsyncIterator[ApiProxy]:
    """A proxy that lets everything through until it is told otherwise."""
    proxy = ApiProxy(control_plane.url, control_plane.ca_pem)
    async with proxy.serving():
        yield proxy


class Hold:
    """Holds the n-th call of its kind, before it is sent or before it is answered."""

    def __init__(self, proxy: ApiProxy, when: str, what: str, number: int = 1) -> None:
        self._what, self._left = what, number
        self.came, self.go_on = asyncio.Event(), asyncio.Event()
        setattr(proxy, when, self._gate)

    async def _gate(self, call: Call) -> None:
        if str(call) == self._what:
            self._left -= 1
        if self._left <= 0:
            self.came.set()
            await self.go_on.wait()


def cut(proxy: ApiProxy, when: str, matches: Matches, *, only_once: bool = False) -> None:
    """Cut the connection of all calls that match, or of the first of several that are the same."""
    seen = set()

    async def gate(call: Call) -> None:
        if matches(call) and not (only_once and call in seen):
            seen.add(call)
            raise Cut

    setattr(proxy, when, gate)


def heal(proxy: ApiProxy) -> None:
    """Let everything through again."""
    proxy.before = proxy.after = open_gate


def only_lists_jobs(proxy: ApiProxy) -> None:
    """Let a server list jobs once, and never hear of a change: others' jobs are news to it."""
    is_listed = False

    async def gate(call: Call) -> None:
        nonlocal is_listed
        if call.method == "GET" and call.path.endswith(f"/{JOBS}"):
            if is_listed:
                await for_ever()
            is_listed = True

    proxy.before = gate


def writes_of(target: str) -> Matches:
    """Match the creation of a job on this target."""
    return lambda call: str(call) == f"POST {JOBS}" and target.encode() in call.body


def told(reply: Any) -> list[tuple[str, str, bool]]:
    """Return the target, the status and the success of each entry of a reply."""
    return [(job.target_uuid, job.status, job.success) for job in reply.jobs]
