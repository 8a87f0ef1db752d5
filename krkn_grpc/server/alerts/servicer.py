"""AlertService: stops the runs that name an alert."""

from dataclasses import dataclass

from krkn_grpc.server.alerts import validate
from krkn_grpc.server.alerts.abort import Aborts
from krkn_grpc.server.auth.authorization import current
from krkn_grpc.server.metadata import Context, deadline_of, send_metadata
from krkn_grpc.v1 import alerts_pb2 as pb
from krkn_grpc.v1.alerts_pb2_grpc import AlertServiceServicer


@dataclass(frozen=True)
class AlertServicer(AlertServiceServicer):
    """Takes alerts; the protos specify each method."""

    aborts: Aborts
    write_seconds: float

    async def ReceiveAlerts(
        self, request: pb.ReceiveAlertsRequest, context: Context
    ) -> pb.ReceiveAlertsResponse:
        """Stop the runs that name one of the alerts."""
        validate.alerts(request)
        deadline = deadline_of(context, self.write_seconds)
        done = await self.aborts.by_alerts(request, current().user, deadline)
        await send_metadata(context, written=done.runs)
        return pb.ReceiveAlertsResponse(matched=done.matched, stopped=len(done.runs))
