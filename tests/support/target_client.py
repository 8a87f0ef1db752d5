"""TargetService as a test calls it: bodies in, values or status codes out."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.json_format import ParseDict

from krkn_grpc.v1 import targets_pb2 as pb
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub
from tests.support.requests import token_target
from tests.support.waiting import SECONDS, eventually

OK = grpc.StatusCode.OK
ALREADY_EXISTS = grpc.StatusCode.ALREADY_EXISTS
NOT_FOUND = grpc.StatusCode.NOT_FOUND
ABORTED = grpc.StatusCode.ABORTED


@dataclass(frozen=True)
class Targets:
    """Calls to one server."""

    channel: grpc.aio.Channel

    @property
    def stub(self) -> Any:
        """The generated stub."""
        return TargetServiceStub(self.channel)

    async def create(self, body: dict[str, Any] | None = None, /, **changes: Any) -> str:
        """Register a target, one with a token if nothing else is said; return its uuid."""
        request = ParseDict((body or token_target()) | changes, pb.CreateTargetRequest())
        uuid: str = (await self.stub.CreateTarget(request)).uuid
        return uuid

    async def update(
        self, uuid: str, body: dict[str, Any] | None = None, /, **changes: Any
    ) -> None:
        """Replace a target."""
        request = ParseDict((body or token_target()) | changes, pb.UpdateTargetRequest(uuid=uuid))
        await self.stub.UpdateTarget(request)

    async def patch(self, uuid: str, **changes: Any) -> pb.Target:
        """Change labels or the name of a target; return it."""
        request = ParseDict(changes, pb.PatchTargetRequest(uuid=uuid))
        target: pb.Target = await self.stub.PatchTarget(request)
        return target

    async def check(self, uuid: str) -> pb.Target:
        """Ask for a check of a target; return it."""
        target: pb.Target = await self.stub.CheckTarget(pb.CheckTargetRequest(uuid=uuid))
        return target

    async def delete(self, uuid: str) -> None:
        """Delete a target."""
        await self.stub.DeleteTarget(pb.DeleteTargetRequest(uuid=uuid))

    async def get(self, uuid: str) -> pb.Target:
        """Return a target."""
        target: pb.Target = await self.stub.GetTarget(pb.GetTargetRequest(uuid=uuid))
        return target

    async def list(self, **filters: Any) -> list[pb.Target]:
        """Return the targets that pass, as long as they fit on the largest page."""
        listed = await self.stub.ListTargets(pb.ListTargetsRequest(page_size=1000, **filters))
        return list(listed.targets)

    async def when_ready(self, uuid: str, *, seconds: float = SECONDS) -> pb.Target:
        """Return the target as soon as it is ready."""
        return await eventually(
            lambda: self.get(uuid), lambda target: target.ready, seconds=seconds
        )

    async def when(self, uuid: str, reason: str, *, seconds: float = SECONDS) -> pb.Target:
        """Return the target as soon as it is not ready for this reason."""
        return await eventually(
            lambda: self.get(uuid), lambda target: target.reason == reason, seconds=seconds
        )


async def code_of(call: Awaitable[object]) -> grpc.StatusCode:
    """Return the status that a call ends with."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return OK


async def codes_of(*calls: Awaitable[object]) -> list[grpc.StatusCode]:
    """Make the calls at once, and return how each ended."""
    return await asyncio.gather(*map(code_of, calls))
