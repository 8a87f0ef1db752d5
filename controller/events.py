"""Kubernetes Events, for `kubectl describe` and `kubectl get events`.

Each is written after the status change that it reports, and reports nothing else. A lost Event
does no harm: the status has all of it.
"""

import asyncio
import os
import socket
from datetime import datetime

import structlog

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import AlreadyExists, KubeError
from krkn_grpc.resources.bounds import cut
from krkn_grpc.resources.core import Event, ObjectReference, micro_time
from krkn_grpc.resources.meta import ObjectMeta, Resource
from krkn_grpc.telemetry import metrics
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

    def announce(self, event: Event | None) -> None:
        """Queue an Event, if there is one."""
        if event is None:
            return
        if self._waiting.full():
            metrics.EVENTS_DROPPED.inc()
        else:
            self._waiting.put_nowait(event)

    def announce_if_idle(self, event: Event | None) -> None:
        """Queue an Event, if there is one and no other waits: it comes after all other work."""
        if self._waiting.empty():
            self.announce(event)

    async def run(self) -> None:
        """Write Events until cancelled, one at a time: jobs that wait to start come first."""
        while True:
            event = await self._waiting.get()
            try:
                await self._events.create(event)
            except AlreadyExists:
                continue
            except KubeError as error:
                metrics.EVENTS_DROPPED.inc()
                _log.debug("event not written", name=event.metadata.name, error=told(error))


def event_about(
    written: Resource, now: datetime, *, action: str, reason: str, note: str, went_well: bool
) -> Event:
    """Return the Event that reports the write that made this version of an object. Pure."""
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
        action=action,
        reason=cut(reason, _LONGEST_REASON, mark=""),
        note=cut(note or reason, _LONGEST_NOTE),
        type="Normal" if went_well else "Warning",
        regarding=ObjectReference(
            api_version=written.KIND.api_version,
            kind=written.KIND.name,
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
        ),
    )
