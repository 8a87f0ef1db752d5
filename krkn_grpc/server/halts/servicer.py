"""HaltService: makes, lists and deletes halts."""

from dataclasses import dataclass

from krkn_grpc.server.auth.authorization import current
from krkn_grpc.server.halts import validate
from krkn_grpc.server.halts.halts import Halts
from krkn_grpc.server.halts.translate import halt_message
from krkn_grpc.server.metadata import Context, catch_up, deadline_of, send_metadata
from krkn_grpc.server.pagination import page
from krkn_grpc.v1 import halts_pb2 as pb
from krkn_grpc.v1.halts_pb2_grpc import HaltServiceServicer


@dataclass(frozen=True)
class HaltServicer(HaltServiceServicer):
    """Halts scenarios; the protos specify each method."""

    halts: Halts
    write_seconds: float

    async def CreateHalt(self, request: pb.CreateHaltRequest, context: Context) -> pb.Halt:
        """Halt all targets, or those of a selector."""
        validate.halt(request)
        deadline = deadline_of(context, self.write_seconds)
        halt = await self.halts.create(
            current().user, request.reason, request.target_selector, deadline
        )
        await send_metadata(context, http_code=201, written=[halt])
        return halt_message(halt)

    async def ListHalts(
        self, request: pb.ListHaltsRequest, context: Context
    ) -> pb.ListHaltsResponse:
        """List the halts, newest first."""
        await catch_up(context, self.halts.cache)
        shown, following = page(
            self.halts.newest,
            size=request.page_size,
            token=request.page_token,
            filters=(),
            show=halt_message,
        )
        return pb.ListHaltsResponse(halts=shown, next_page_token=following)

    async def DeleteHalt(
        self, request: pb.DeleteHaltRequest, context: Context
    ) -> pb.DeleteHaltResponse:
        """Delete a halt."""
        halt = await self.halts.delete(request.name)
        await send_metadata(context, written=[halt])
        return pb.DeleteHaltResponse(name=request.name, message="Halt deleted")
