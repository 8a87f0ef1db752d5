"""The Events about jobs."""

from datetime import datetime

from controller.events import event_about
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobStatus
from krkn_grpc.resources.core import Event


def event_for(before: ChaosJob, written: ChaosJob, now: datetime) -> Event | None:
    """Return the Event for a written status; None when it needs none. Pure.

    The status keeps the pod and the start for good. An Event reports the end, and problems
    before it, which the status shows only as long as they last.
    """
    old, new = before.status, written.status
    if new.phase == "Running" or not new.reason or _told(new) == _told(old):
        return None
    return event_about(
        written,
        now,
        action=new.phase,
        reason=new.reason,
        note=new.message,
        went_well=new.phase in ("Succeeded", "Stopped"),
    )


def _told(status: ChaosJobStatus) -> tuple[str, str]:
    return status.reason, status.phase
