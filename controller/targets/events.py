"""The Events about targets."""

from datetime import datetime

from controller.events import event_about
from krkn_grpc.resources.core import Event
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import READY, Target


def event_for(before: Target, written: Target, now: datetime) -> Event | None:
    """Return the Event for a written status: when the target became ready or not, else None. Pure.

    Another reason for not being ready needs none: the status shows it as long as it lasts.
    """
    ready = find_condition(written.status.conditions, READY)
    was = find_condition(before.status.conditions, READY)
    if ready is None or (was is not None and was.status == ready.status):
        return None
    is_ready = ready.status == "True"
    return event_about(
        written,
        now,
        action="Ready" if is_ready else "NotReady",
        reason=ready.reason,
        note=ready.message,
        went_well=is_ready,
    )
