"""What the controller says of a blackout in its status. Pure."""

from datetime import datetime

from controller.orders.conditions import with_validity
from controller.reason import Reason
from krkn_grpc.resources.blackout import Blackout
from krkn_grpc.resources.order import OrderStatus

_REASONS = {
    "schedule": "ScheduleInvalid",
    "durationSeconds": "DurationInvalid",
    "timeZone": "TimeZoneInvalid",
    "targetSelector": "SelectorInvalid",
}


def status_of(blackout: Blackout, now: datetime) -> OrderStatus:
    """Return the status that the blackout should have; one that was always readable needs none."""
    wrong: Reason | None = None
    if (problem := blackout.problem) is not None:
        targets = "any target" if not blackout.needs_labels else "its targets"
        message = (
            f"spec.{problem.field}: {problem}. Until it is mended nothing starts on {targets}."
        )
        wrong = Reason(_REASONS[problem.field], message)
    return with_validity(blackout, wrong, "BlackoutRead", now)
