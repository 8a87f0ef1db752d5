"""The conditions of a target: whether it is admitted, and whether its cluster was reached."""

from datetime import datetime

import msgspec

from krkn_grpc.resources.meta import Condition, find_condition, with_condition
from krkn_grpc.resources.target import ADMITTED, READY, Target, TargetStatus


def admitted(target: Target, now: datetime) -> TargetStatus:
    """Return the status of a target that holds its name and its URL, for the spec as it is.

    What a check found of a former spec says nothing of this one: it is ready after the next.
    """
    message = "The target holds its name and its URL."
    before = find_condition(target.status.conditions, ADMITTED)
    status = _with(target, ADMITTED, True, "Registered", message, now)
    ready = find_condition(status.conditions, READY)
    if (
        ready is not None
        and ready.observed_generation == target.metadata.generation
        # That of a refusal was not found by a check.
        and (before is None or ready.reason != before.reason)
    ):
        return status
    kept = [condition for condition in status.conditions if condition is not ready]
    return msgspec.structs.replace(status, ready=False, conditions=kept)


def refused(target: Target, reason: str, message: str, now: datetime) -> TargetStatus:
    """Return the status of a target that cannot have its name or its URL; it is not ready."""
    refused = _with(target, ADMITTED, False, reason, message, now)
    # For the same reason: whoever looks at this condition alone is told, too.
    status = _with(
        msgspec.structs.replace(target, status=refused), READY, False, reason, message, now
    )
    return msgspec.structs.replace(status, ready=False, last_updated=now)


def checked(
    target: Target, is_ready: bool, reason: str, message: str, now: datetime
) -> TargetStatus:
    """Return the status after a check of the target's cluster."""
    status = _with(target, READY, is_ready, reason, message, now)
    return msgspec.structs.replace(status, ready=is_ready, last_updated=now)


def _with(
    target: Target, kind: str, holds: bool, reason: str, message: str, now: datetime
) -> TargetStatus:
    condition = Condition(
        type=kind,
        status="True" if holds else "False",
        reason=reason,
        message=message,
        last_transition_time=now,
        observed_generation=target.metadata.generation,
    )
    conditions = with_condition(target.status.conditions, condition)
    return msgspec.structs.replace(target.status, conditions=conditions)
