"""Health on a separate port on loopback: a pod's probes share no limits with its callers.

Ready is not healthy: a server whose API server is away stays ready, because it still answers reads,
and all replicas would be taken out of service at the same time. Callers see the difference in
HealthService on the other port.
"""

import grpc
from grpc_health.v1 import health_pb2_grpc

from krkn_grpc.server import limits, ports
from krkn_grpc.server.errors import Unreachable
from krkn_grpc.server.grpc_health import GrpcHealth
from krkn_grpc.server.interceptors.errors import ErrorInterceptor
from krkn_grpc.server.metadata import Context
from krkn_grpc.v1 import health_pb2 as pb
from krkn_grpc.v1 import health_pb2_grpc as krkn_health_pb2_grpc
from krkn_grpc.v1.health_pb2_grpc import HealthServiceServicer

_HOST = "127.0.0.1"
_LARGEST_REQUEST = 4 * 1024
_MOST_CALLS = 100


_LIVENESS = ("krkn-probe", "live")


class ProbeServicer(HealthServiceServicer):
    """Answers probes: whether this process is alive, and whether it is ready for calls."""

    def __init__(self) -> None:
        """Start as a process that is not ready yet."""
        self.is_ready = False
        """Whether all objects have been seen once, and calls are served."""

    async def GetHealth(  # noqa: N802 - the generated service's name
        self, request: pb.GetHealthRequest, context: Context
    ) -> pb.GetHealthResponse:
        """Return `healthy` when ready; a probe of liveness is content with any answer."""
        del request
        asked = [(key, value) for key, value in context.invocation_metadata() or ()]
        if not self.is_ready and _LIVENESS not in asked:
            raise Unreachable("the server is not ready")
        return pb.GetHealthResponse(status="healthy")


def listen(
    grpc_health: GrpcHealth, servicer: ProbeServicer, port: int
) -> tuple[grpc.aio.Server, int]:
    """Return a server of grpc.health.v1 and HealthService, not started yet, and its port."""
    server = grpc.aio.server(
        interceptors=[ErrorInterceptor()],
        options=limits.options(largest=_LARGEST_REQUEST),
        maximum_concurrent_rpcs=_MOST_CALLS,
    )
    health_pb2_grpc.add_HealthServicer_to_server(grpc_health, server)
    krkn_health_pb2_grpc.add_HealthServiceServicer_to_server(servicer, server)
    return server, ports.listen(server, f"{_HOST}:{port}", setting="KRKN_SERVER_HEALTH_PORT")
