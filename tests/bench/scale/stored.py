"""The etcd below the API server: thousands of objects are put there in seconds, not in minutes.

What is put is what the API server itself has stored of another object, with other ids of the same
length; it serves the copies as it serves what was written through it.
"""

import base64
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.bench.bench import Bench

# etcd takes 128 operations in one transaction.
_AT_ONCE = 100
# The socket file in the control plane's folder, named so in its configuration.
_SOCKET = "localhost:2379"

JOBS = "/registry/krkn.krkn-chaos.dev/krknchaosjobs"
RUNS = "/registry/krkn.krkn-chaos.dev/krknchaosruns"
PODS = "/registry/pods"


@dataclass(frozen=True)
class Stored:
    """Reads and puts values by key."""

    session: aiohttp.ClientSession

    async def get(self, key: str) -> bytes:
        """Return the value of a key."""
        found = await self._call("range", {"key": _base64(key.encode())})
        return base64.b64decode(found["kvs"][0]["value"])

    async def put(self, values: Iterable[tuple[str, bytes]]) -> None:
        """Put each value under its key."""
        puts = [
            {"requestPut": {"key": _base64(key.encode()), "value": _base64(value)}}
            for key, value in values
        ]
        for first in range(0, len(puts), _AT_ONCE):
            await self._call("txn", {"success": puts[first : first + _AT_ONCE]})

    async def _call(self, method: str, body: Any) -> Any:
        async with self.session.post(f"/v3/kv/{method}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@contextlib.asynccontextmanager
async def stored(bench: Bench) -> AsyncIterator[Stored]:
    """Connect to the etcd of the control plane."""
    path = bench.control_plane.admin_kubeconfig.parent / _SOCKET
    connector = aiohttp.UnixConnector(str(path))
    async with aiohttp.ClientSession("http://localhost", connector=connector) as session:
        yield Stored(session)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
