"""Calls that stop before one of their writes, as a crash or a slow network may stop them."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from krkn_grpc.resources import names
from tests.support.api_proxy import Call, Cut


@dataclass
class Operation:
    """A call to the service, known to the proxy by what its writes to the API server are about.

    It stops before its write number `stop` (from 1), or after the last if it has no more.
    """

    stop: int
    marks: set[str]
    writes: list[str] = field(default_factory=list)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def counts(self, call: Call) -> bool:
        """Count the call if it is a write of this operation; returns whether it is."""
        text = f"{call.path} {call.body.decode()}"
        is_own = call.is_write and any(mark in text for mark in self.marks)
        if is_own:
            if str(call) == "POST krknoperatortargets":
                self.marks.add(json.loads(call.body)["metadata"]["name"])
            self.writes.append(str(call))
        return is_own


@dataclass(frozen=True)
class Stops:
    """A gate for the proxy: it holds each operation where that is to stop."""

    operations: Sequence[Operation]

    async def __call__(self, call: Call) -> None:
        """Hold the call, if its operation has come to its stop."""
        for operation in self.operations:
            if operation.counts(call) and len(operation.writes) >= operation.stop:
                operation.stopped.set()
                await operation.go_on.wait()


@dataclass(frozen=True)
class Cuts:
    """A gate for the proxy: it cuts off each operation's write where that is to stop, once."""

    operations: Sequence[Operation]

    async def __call__(self, call: Call) -> None:
        """Cut the call off, if its operation has come to its stop."""
        for operation in self.operations:
            if operation.counts(call) and len(operation.writes) == operation.stop:
                operation.stopped.set()
                raise Cut


def marks_of(body: dict[str, Any]) -> set[str]:
    """Return what writes about this registration have in them, where they have no uuid of it."""
    return {
        json.dumps(body["clusterName"]),
        names.name_reservation(body["clusterName"]),
        names.url_reservation(body["clusterAPIURL"]),
    }
