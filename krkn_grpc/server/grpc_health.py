"""grpc.health.v1: whether the server can do its work; one status for "" and all its services.

Not the library's servicer: it sends to a watcher while it holds its lock, so one slow reader stops
all others.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from grpc import StatusCode
from grpc_health.v1 import health_pb2 as pb
from grpc_health.v1.health_pb2_grpc import HealthServicer

from krkn_grpc.server.metadata import Context


class GrpcHealth(HealthServicer):
    """Serves the health status; a watcher that does not read blocks no other caller."""

    def __init__(self, services: Iterable[str]) -> None:
        """Start with the status SERVING."""
        self._names = ("", *services)
        self.is_serving = True
        self.is_closed = False
        self._changed = asyncio.Event()

    def tell(self, is_serving: bool) -> None:
        """Set the status, unless `close` was called."""
        if is_serving != self.is_serving and not self.is_closed:
            self.is_serving = is_serving
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    def close(self) -> None:
        """Set NOT_SERVING for good: running calls end, new ones should go to another replica."""
        self.tell(False)
        self.is_closed = True

    async def Check(  # noqa: N802 - the generated service's name
        self, request: pb.HealthCheckRequest, context: Context
    ) -> pb.HealthCheckResponse:
        """Return the status; NOT_FOUND for an unknown service."""
        if request.service not in self._names:
            await context.abort(StatusCode.NOT_FOUND, "there is no such service")
        return self._status(request.service)

    async def List(  # noqa: N802 - the generated service's name
        self, request: Any, context: Context
    ) -> Any:
        """Return the status of each service."""
        del request, context
        statuses = {name: self._status(name) for name in self._names}
        return pb.HealthListResponse(statuses=statuses)  # type: ignore[attr-defined]  # newer than its stubs

    async def Watch(  # noqa: N802 - the generated service's name
        self, request: pb.HealthCheckRequest, context: Context
    ) -> AsyncIterator[pb.HealthCheckResponse]:
        """Yield the status and each change of it."""
        del context
        while True:
            changed = self._changed
            yield self._status(request.service)
            await changed.wait()

    def _status(self, service: str) -> pb.HealthCheckResponse:
        if service not in self._names:
            return pb.HealthCheckResponse(status=pb.HealthCheckResponse.SERVICE_UNKNOWN)
        kind = pb.HealthCheckResponse
        return kind(status=kind.SERVING if self.is_serving else kind.NOT_SERVING)
