"""How the tests look at clusters, and what they let the looks cost."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from ipaddress import IPv4Network, ip_address

from controller.resolver import ResolveError, SystemResolver
from controller.targets.probe import probe
from controller.targets.probe.limits import ProbeLimits
from controller.targets.probe.result import ProbeReason, ProbeResult
from krkn_grpc.resources.addresses import Address, AddressRules
from krkn_grpc.resources.kubeconfig import (
    Kubeconfig,
    from_token,
)
from tests.integration.probe.servers import (
    Authority,
    CacheChange,
    server_context,
)
from tests.support.waiting import eventually

CANARY = "canary-5ecret"
LOCAL = AddressRules((IPv4Network("127.0.0.0/8"),))
PATIENT = ProbeLimits(total_seconds=200, resolve_seconds=200, connect_seconds=200)
BRIEF = ProbeLimits(total_seconds=1, resolve_seconds=0.5, connect_seconds=0.5)
AUTHORITY = Authority("the authority")
OTHER_AUTHORITY = Authority("another authority")
GOOD_CONTEXT = server_context(AUTHORITY.issue("cluster.example", "127.0.0.1"))


class Names:
    """A resolver that knows what a test tells it, and what it was asked."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self._addresses = addresses
        self.asked: list[str] = []

    async def resolve(self, name: str) -> Sequence[Address]:
        self.asked.append(name)
        if name.partition(".")[0] not in self._addresses:
            raise ResolveError
        return [ip_address(text) for text in self._addresses[name.partition(".")[0]]]


async def look(
    kubeconfig: Kubeconfig,
    rules: AddressRules = LOCAL,
    limits: ProbeLimits = PATIENT,
    names: Names | SystemResolver | None = None,
) -> ProbeResult:
    result = await probe(kubeconfig, rules, limits, names or Names())
    assert CANARY not in repr(result)
    assert result.ready == (result.reason is ProbeReason.REACHABLE)
    return result


def with_token(
    seen: CacheChange, ca: str | None = AUTHORITY.pem, host: str = "127.0.0.1"
) -> Kubeconfig:
    return from_token(f"https://{host}:{seen.port}", CANARY, ca)


@contextlib.asynccontextmanager
async def black_hole(port: int = 0) -> AsyncIterator[CacheChange]:
    """Give a port, a free one unless one is named, that takes no connections and says nothing."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(0)
        full = False
        while not full:
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            try:
                async with asyncio.timeout(0.3):
                    await loop.sock_connect(waiting, listening.getsockname())
            except TimeoutError:
                full = True
        yield CacheChange(port=listening.getsockname()[1])


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def until(condition: Callable[[], bool]) -> None:
    async def look_once() -> bool:
        return condition()

    await eventually(look_once)
