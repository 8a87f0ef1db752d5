"""What the controller says of a halt in its status. Pure."""

from datetime import datetime

from krkn_grpc.resources.halt import INVALID, Halt, HaltStatus
from krkn_grpc.resources.meta import Condition, find_condition, with_condition


def status_of(halt: Halt, now: datetime) -> HaltStatus:
    """Return the status that the halt should have; one that was always readable needs none."""
    conditions = halt.status.conditions
    if halt.is_readable and find_condition(conditions, INVALID) is None:
        return halt.status
    condition = Condition(
        type=INVALID,
        status="False" if halt.is_readable else "True",
        reason="SelectorRead" if halt.is_readable else "SelectorInvalid",
        message=(
            ""
            if halt.is_readable
            else "spec.targetSelector is not a label selector: every target is halted."
        ),
        last_transition_time=now,
        observed_generation=halt.metadata.generation,
    )
    return HaltStatus(conditions=with_condition(conditions, condition))
