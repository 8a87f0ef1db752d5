"""Kubernetes Events about jobs, for `kubectl describe` and `kubectl get events`.

Written after the status that they tell of, and told of nothing else; one that is lost is missed
by nobody: the status has it all.
"""

import asyncio
import os
import socket
from datetime import UTC, datetime

import structlog

from krkn_grpc.kube.errors import AlreadyExists, KubeError
from krkn_grpc.kube.store import Store
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.core import Event, ObjectReference, micro_time
from krkn_grpc.resources.meta import ObjectMeta

_CONTROLLER = "krkn.krkn-chaos.dev/controller"
_INSTANCE = f"{socket.gethostname()}-{os.getpid()}"[-128:]
_MOST_WAITING = 10_000
_LONGEST_NOTE = 1_000

_log = structlog.get_logger(__name__)


class Announcer:
    """Writes Events beside the work, never in its way: of too many, some are left out."""

    def __init__(self, events: Store[Event]) -> None:
        """Write into `events`."""
        self._events = events
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(_MOST_WAITING)

    def announce(self, before: ChaosJob, written: ChaosJob) -> None:
        """Tell what this write of a status changed for people."""
        event = event_for(before, written, datetime.now(UTC))
        if event is not None and not self._waiting.full():
            self._waiting.put_nowait(event)

    async def run(self) -> None:
        """Write until cancelled, one after the other: jobs that wait to start come first."""
        while True:
            event = await self._waiting.get()
            try:
                await self._events.create(event)
            except AlreadyExists:
                continue
            except KubeError as error:
                _log.info("event not written", name=event.metadata.name, error=str(error))


def event_for(before: ChaosJob, written: ChaosJob, now: datetime) -> Event | None:
    """Return the Event for a written status; None when nobody needs to hear of it. Pure.

    The pod and the start are in the status, for ever. An Event tells of the end, and of trouble
    on the way, which the status shows only as long as it lasts.
    """
    old, new = before.status, written.status
    if new.phase == "Running" or not new.reason or _told(new) == _told(old):
        return None
    went_well = new.phase in ("Succeeded", "Stopped")
    metadata = written.metadata
    return Event(
        metadata=ObjectMeta(
            # By the write that it tells of: telling twice finds that it was told.
            name=f"{metadata.name}.{int(metadata.resource_version):x}",
            namespace=metadata.namespace,
        ),
        event_time=micro_time(now),
        reporting_controller=_CONTROLLER,
        reporting_instance=_INSTANCE,
        action=new.phase,
        reason=new.reason[:128],
        note=new.message[:_LONGEST_NOTE] or new.reason,
        type="Normal" if went_well else "Warning",
        regarding=ObjectReference(
            api_version=ChaosJob.KIND.api_version,
            kind=ChaosJob.KIND.name,
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
        ),
    )


def _told(status: ChaosJobStatus) -> tuple[str, str]:
    return status.reason, status.phase
