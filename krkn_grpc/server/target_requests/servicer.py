"""TargetRequestService: makes target requests, waits for them, and shows their clusters."""

from dataclasses import dataclass

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources import ids
from krkn_grpc.resources.provider import Provider
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import COMPLETED
from krkn_grpc.server.auth.authorization import current
from krkn_grpc.server.errors import Findings, NoSuch
from krkn_grpc.server.metadata import Context, deadline_of, send_metadata
from krkn_grpc.server.target_requests.clusters import TargetIndex, found_clusters
from krkn_grpc.server.target_requests.discoveries import Discoveries
from krkn_grpc.server.target_requests.translate import clusters_message, discovery_message
from krkn_grpc.server.target_requests.visibility import visible
from krkn_grpc.v1 import target_requests_pb2 as pb
from krkn_grpc.v1.target_requests_pb2_grpc import TargetRequestServiceServicer

_PENDING = "the target request is pending: its providers have not answered yet"


@dataclass(frozen=True)
class TargetRequestServicer(TargetRequestServiceServicer):
    """Finds the clusters of all providers; the protos specify each method."""

    discoveries: Discoveries
    targets: Informer[Target]
    providers: ResourceClient[Provider]
    write_seconds: float
    hold_seconds: float

    async def DiscoverTargets(
        self, request: pb.DiscoverTargetsRequest, context: Context
    ) -> pb.DiscoverTargetsResponse:
        """Ask every active provider for its clusters."""
        request_id = _request_id(request)
        deadline = deadline_of(context, self.write_seconds)
        made = await self.discoveries.create(current().user, request_id, deadline)
        await send_metadata(context, http_code=202)
        return pb.DiscoverTargetsResponse(uuid=made)

    async def GetDiscovery(self, request: pb.GetDiscoveryRequest, context: Context) -> pb.Discovery:
        """Return the state of a request, after waiting for its completion."""
        hold = min(self.hold_seconds, deadline_of(context, self.hold_seconds).remaining)
        found = await self.discoveries.get_completed(request.uuid, hold)
        providers = await self.providers.list()
        if found.status.status != COMPLETED:
            await send_metadata(context, http_code=202)
        return discovery_message(found, providers.items)

    async def ListClusters(
        self, request: pb.ListClustersRequest, context: Context
    ) -> pb.ListClustersResponse:
        """List the clusters of a completed request."""
        findings = Findings()
        findings.expect(request.id != "", "id", "is required")
        findings.settle()
        found = await self.discoveries.get_whole(request.id)
        if found.status.status != COMPLETED:
            raise NoSuch(_PENDING)
        clusters = list(found_clusters(found, TargetIndex(self.targets.values())))
        deadline = deadline_of(context, self.write_seconds)
        shown = await visible(current(), clusters, deadline)
        return clusters_message(found.status.target_data, shown)

    async def DeleteDiscovery(
        self, request: pb.DeleteDiscoveryRequest, context: Context
    ) -> pb.DeleteDiscoveryResponse:
        """Delete a request, with what providers have stored for it."""
        await self.discoveries.delete(request.uuid)
        return pb.DeleteDiscoveryResponse(uuid=request.uuid, message="Target request deleted")


def _request_id(request: pb.DiscoverTargetsRequest) -> str:
    """Return the requestId in its canonical form, empty if there is none; raises InvalidRequest."""
    given = ids.canonical(request.request_id)
    findings = Findings()
    findings.expect(given is not None or not request.request_id, "requestId", "must be a UUID")
    findings.settle()
    return given or ""
