"""Healthy means that the Kubernetes API answers: without it no call can do its work."""

import asyncio
from dataclasses import dataclass

from krkn_grpc.kube.session import Session
from krkn_grpc.server.errors import Unreachable
from krkn_grpc.server.metadata import Context
from krkn_grpc.server.standing import Standing
from krkn_grpc.v1 import health_pb2 as pb
from krkn_grpc.v1.health_pb2_grpc import HealthServiceServicer

_INTERVAL_SECONDS = 2.0


@dataclass(frozen=True)
class HealthServicer(HealthServiceServicer):
    """Health for REST; asked of the API server at every call."""

    session: Session

    async def GetHealth(
        self, request: pb.GetHealthRequest, context: Context
    ) -> pb.GetHealthResponse:
        """Return `healthy` while the API server is reachable."""
        if not await self.session.is_reachable():
            raise Unreachable("the Kubernetes API cannot be reached now")
        return pb.GetHealthResponse(status="healthy")


async def keep_current(standing: Standing, session: Session) -> None:
    """Tell grpc.health.v1 every two seconds whether the API server is reachable."""
    while True:
        standing.tell(await session.is_reachable())
        await asyncio.sleep(_INTERVAL_SECONDS)
