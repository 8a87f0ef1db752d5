"""TargetService: validates a request, calls the registry, translates the result."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.target import Target
from krkn_grpc.server import correlation_id
from krkn_grpc.server.auth.authorization import current
from krkn_grpc.server.metadata import (
    Context,
    catch_up,
    deadline_of,
    is_head,
    send_headers,
    send_metadata,
)
from krkn_grpc.server.offload import offload, offload_digest
from krkn_grpc.server.pagination import page
from krkn_grpc.server.targets import filters, validate
from krkn_grpc.server.targets.call import call_digest
from krkn_grpc.server.targets.registration import Registry
from krkn_grpc.server.targets.translate import target_message
from krkn_grpc.server.watch import Watch
from krkn_grpc.v1 import targets_pb2 as pb
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceServicer


@dataclass(frozen=True)
class TargetServicer(TargetServiceServicer):
    """Registers clusters and shows them; the protos specify each method."""

    registry: Registry
    targets: Informer[Target]
    watch: Watch[Target, pb.WatchTargetsResponse]
    rules: AddressRules
    write_seconds: float

    async def CreateTarget(
        self, request: pb.CreateTargetRequest, context: Context
    ) -> pb.CreateTargetResponse:
        """Register a cluster."""
        new = await offload(validate.registration, request, self.rules)
        deadline = deadline_of(context, self.write_seconds)
        call = await offload_digest(
            partial(call_digest, new, current().user, correlation_id.current())
        )
        target, is_repeated = await self.registry.create(new, call, deadline)
        await send_metadata(context, http_code=201, written=[target], is_repeated=is_repeated)
        return pb.CreateTargetResponse(uuid=target.metadata.name, message="Target created")

    async def ListTargets(
        self, request: pb.ListTargetsRequest, context: Context
    ) -> pb.ListTargetsResponse:
        """List the registered clusters, newest first."""
        wanted = filters.checked(request)
        await catch_up(context, self.targets)
        shown, following = page(
            partial(wanted.among, self.targets),
            size=request.page_size,
            token=request.page_token,
            filters=wanted.spelling,
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
        new = await offload(validate.registration, request, self.rules)
        deadline = deadline_of(context, self.write_seconds)
        target = await self.registry.update(request.uuid, new, deadline)
        await send_metadata(context, written=[target])
        return pb.UpdateTargetResponse(uuid=target.metadata.name, message="Target updated")

    async def PatchTarget(self, request: pb.PatchTargetRequest, context: Context) -> pb.Target:
        """Change labels, name or limit."""
        patch = validate.patch(request)
        deadline = deadline_of(context, self.write_seconds)
        target = await self.registry.patch(request.uuid, patch, deadline)
        await send_metadata(context, written=[target])
        return target_message(target)

    async def CheckTarget(self, request: pb.CheckTargetRequest, context: Context) -> pb.Target:
        """Ask for a check of the cluster."""
        deadline = deadline_of(context, self.write_seconds)
        target = await self.registry.check(request.uuid, deadline)
        await send_metadata(context, written=[target])
        return target_message(target)

    async def DeleteTarget(
        self, request: pb.DeleteTargetRequest, context: Context
    ) -> pb.DeleteTargetResponse:
        """Remove a cluster."""
        deadline = deadline_of(context, self.write_seconds)
        target = await self.registry.delete(request.uuid, deadline)
        await send_metadata(context, written=[target])
        return pb.DeleteTargetResponse(uuid=target.metadata.name, message="Target deleted")

    async def WatchTargets(
        self, request: pb.WatchTargetsRequest, context: Context
    ) -> AsyncIterator[pb.WatchTargetsResponse]:
        """Stream targets as they change."""
        wanted = filters.checked(request)
        await catch_up(context, self.targets)
        accept, only_headers = partial(send_headers, context), is_head(context)
        stream = self.watch.stream(
            wanted, request.resume_token, current(), accept, only_accept=only_headers
        )
        async with aclosing(stream) as messages:
            async for message in messages:
                yield message
                if only_headers:
                    return
