"""Targets to run on: registered once through the API, and all of them ready."""

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any

import grpc.aio

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import targets_pb2 as pb
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub

_AT_ONCE = 16
_TOKEN_SECONDS = 24 * 3600


@dataclass
class Targets:
    """As many targets as a measurement wants; what is registered stays.

    All of them lead to the one API server, each by a path of its own. It knows their account and
    forbids it everything, which is an answer of a cluster that accepts the credential.
    """

    control_plane: ControlPlane
    address: str
    uuids: list[str] = field(default_factory=list)

    async def first(self, count: int, metadata: tuple[tuple[str, str], ...] = ()) -> list[str]:
        """Return the uuids of so many targets that are ready."""
        if missing := range(len(self.uuids), count):
            async with grpc.aio.insecure_channel(self.address) as channel:
                await self._register(TargetServiceStub(channel), missing, metadata)
        return self.uuids[:count]

    async def _register(
        self,
        service: Any,
        numbers: range,
        metadata: tuple[tuple[str, str], ...],
    ) -> None:
        cluster = self.control_plane.cluster
        token = await cluster.token("default", "default", seconds=_TOKEN_SECONDS)
        ca_bundle = base64.b64encode(self.control_plane.ca_pem.encode()).decode()
        places = asyncio.Semaphore(_AT_ONCE)

        async def register(number: int) -> str:
            request = pb.CreateTargetRequest(
                cluster_name=f"bench-{number}",
                secret_type="token",
                cluster_api_url=f"{self.control_plane.url}/clusters/{number}",
                ca_bundle=ca_bundle,
                token=token,
            )
            async with places:
                uuid: str = (await service.CreateTarget(request, metadata=metadata)).uuid
            return uuid

        new = await asyncio.gather(*map(register, numbers))
        waiting = set(new)
        while waiting:
            page = pb.ListTargetsRequest(page_size=1000)
            while True:
                listed = await service.ListTargets(page, metadata=metadata)
                waiting -= {target.uuid for target in listed.targets if target.ready}
                if not listed.next_page_token:
                    break
                page.page_token = listed.next_page_token
            await asyncio.sleep(0.2)
        self.uuids += new
