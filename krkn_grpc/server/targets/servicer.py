"""TargetService: check, call, translate."""

from dataclasses import dataclass

from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.target import Target
from krkn_grpc.server.deadlines import deadline_of
from krkn_grpc.server.metadata import Context, catch_up, send_metadata
from krkn_grpc.server.pages import page
from krkn_grpc.server.targets import check
from krkn_grpc.server.targets.registration import Registry
from krkn_grpc.server.targets.translate import target_message
from krkn_grpc.v1 import targets_pb2 as pb
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceServicer


@dataclass(frozen=True)
class TargetServicer(TargetServiceServicer):
    """Registers clusters and shows them; the protos say what each method promises."""

    registry: Registry
    targets: WatchCache[Target]
    rules: AddressRules
    write_seconds: float

    async def CreateTarget(
        self, request: pb.CreateTargetRequest, context: Context
    ) -> pb.CreateTargetResponse:
        """Register a cluster."""
        new = check.registration(request, self.rules)
        deadline = deadline_of(context, self.write_seconds)
        target = await self.registry.create(new, deadline)
        await send_metadata(context, http_code=201, written=[target])
        return pb.CreateTargetResponse(uuid=target.metadata.name, message="Target created")

    async def ListTargets(
        self, request: pb.ListTargetsRequest, context: Context
    ) -> pb.ListTargetsResponse:
        """List the registered clusters, newest first."""
        await catch_up(context, self.targets)
        shown, following = page(
            self.registry.newest,
            size=request.page_size,
            token=request.page_token,
            filters=(),
            show=target_message,
        )
        return pb.ListTargetsResponse(targets=shown, next_page_token=following)

    async def GetTarget(self, request: pb.GetTargetRequest, context: Context) -> pb.Target:
        """Return one registered cluster."""
        await catch_up(context, self.targets)
        return target_message(await self.registry.get(request.uuid))

    async def UpdateTarget(
        self, request: pb.UpdateTargetRequest, context: Context
    ) -> pb.UpdateTargetResponse:
        """Replace a registration."""
        new = check.registration(request, self.rules)
        deadline = deadline_of(context, self.write_seconds)
        target = await self.registry.update(request.uuid, new, deadline)
        await send_metadata(context, written=[target])
        return pb.UpdateTargetResponse(uuid=target.metadata.name, message="Target updated")

    async def DeleteTarget(
        self, request: pb.DeleteTargetRequest, context: Context
    ) -> pb.DeleteTargetResponse:
        """Remove a cluster."""
        deadline = deadline_of(context, self.write_seconds)
        target = await self.registry.delete(request.uuid, deadline)
        await send_metadata(context, written=[target])
        return pb.DeleteTargetResponse(uuid=target.metadata.name, message="Target deleted")
