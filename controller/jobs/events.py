"""Kubernetes Events about jobs, for `kubectl describe` and `kubectl get events`.

Each is written after the status change that it reports, and reports nothing else. A lost Event
does no harm: the status has all of it.
"""

import asyncio
import os
import socket
from datetime import UTC, datetime

import structlog

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import AlreadyExists, KubeError
from krkn_grpc.resources.bounds import cut
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.core import Event, ObjectReference, micro_time
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.told import told

_CONTROLLER = "krkn.krkn-chaos.dev/controller"
_INSTANCE = f"{socket.gethostname()}-{os.getpid()}"[-128:]
_MOST_WAITING = 10_000
# In bytes, as Kubernetes counts them.
_LONGEST_NOTE = 1_024
_LONGEST_REASON = 128

_log = structlog.get_logger(__name__)


class EventRecorder:
    """Writes Events in the background; while the queue is full, new ones are dropped."""

    def __init__(self, events: ResourceClient[Event]) -> None:
        """Write into `events`."""
        self._events = events
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(_MOST_WAITING)

    def announce(self, before: ChaosJob, written: ChaosJob) -> None:
        """Queue an Event for this status change, if people need one."""
        event = event_for(before, written, datetime.now(UTC))
        if event is not None and not self._waiting.full():
            self._waiting.put_nowait(event)

    async def run(self) -> None:
        """Write Events until cancelled, one at a time: jobs that wait to start come first."""
        while True:
            event = await self._waiting.get()
            try:
                await self._events.create(event)
            except AlreadyExists:
                continue
            except KubeError as error:
                _log.info("event not written", name=event.metadata.name, error=told(error))


def event_for(before: ChaosJob, written: ChaosJob, now: datetime) -> Event | None:
    """Return the Event for a written status; None when it needs none. Pure.

    The status keeps the pod and the start for good. An Event reports the end, and problems
    before it, which the status shows only as long as they last.
    """
    old, new = before.status, written.status
    if new.phase == "Running" or not new.reason or _told(new) == _told(old):
        return None
    went_well = new.phase in ("Succeeded", "Stopped")
    metadata = written.metadata
    return Event(
        metadata=ObjectMeta(
            # Named after the write that it reports: a second create finds that it exists.
            name=f"{metadata.name}.{int(metadata.resource_version):x}",
            namespace=metadata.namespace,
        ),
        event_time=micro_time(now),
        reporting_controller=_CONTROLLER,
        reporting_instance=_INSTANCE,
        action=new.phase,
        reason=cut(new.reason, _LONGEST_REASON, mark=""),
        note=cut(new.message or new.reason, _LONGEST_NOTE),
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
