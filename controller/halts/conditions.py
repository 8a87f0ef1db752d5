"""What the controller says of a halt in its status. Pure."""

from datetime import datetime

from controller.orders.conditions import with_validity
from controller.reason import Reason
from krkn_grpc.resources.halt import Halt
from krkn_grpc.resources.order import OrderStatus

_WRONG = Reason(
    "SelectorInvalid", "spec.targetSelector is not a label selector: every target is halted."
)


def status_of(halt: Halt, now: datetime) -> OrderStatus:
    """Return the status that the halt should have; one that was always readable needs none."""
    return with_validity(halt, None if halt.is_readable else _WRONG, "SelectorRead", now)
