"""The conditions of a target: whether it is admitted, and whether its cluster was reached."""

from datetime import datetime

import msgspec

from krkn_grpc.resources import bounds
from krkn_grpc.resources.meta import Condition, find_condition, with_condition
from krkn_grpc.resources.target import ADMITTED, READY, Target, TargetStatus


def admitted(target: Target, now: datetime) -> TargetStatus:
    """Return the status of a target that holds its name and its URL, for its current spec.

    A check's result for an earlier spec does not apply: the target is ready after the next check.
    """
    message = "The target holds its name and its URL."
    before = find_condition(target.status.conditions, ADMITTED)
    status = _with(target, ADMITTED, True, "Registered", message, now)
    ready = find_condition(status.conditions, READY)
    if (
        ready is not None
        and ready.observed_generation == target.metadata.generation
        # A refusal's Ready condition does not come from a check.
        and (before is None or ready.reason != before.reason)
    ):
        return status
    kept = [condition for condition in status.conditions if condition is not ready]
    return msgspec.structs.replace(status, ready=False, server_version="", conditions=kept)


def refused(target: Target, reason: str, message: str, now: datetime) -> TargetStatus:
    """Return the status of a target that cannot have its name or its URL; it is not ready."""
    refused = _with(target, ADMITTED, False, reason, message, now)
    # With the same reason, for readers that look at this condition alone.
    status = _with(
        msgspec.structs.replace(target, status=refused), READY, False, reason, message, now
    )
    return msgspec.structs.replace(status, ready=False, last_updated=now, server_version="")


def checked(
    target: Target,
    is_ready: bool,
    reason: str,
    message: str,
    now: datetime,
    *,
    server_version: str | None = None,
) -> TargetStatus:
    """Return the status after a check of the target's cluster.

    `server_version` is None when nothing new is known of it: then the known one stays.
    """
    status = _with(target, READY, is_ready, reason, message, now)
    version = target.status.server_version if server_version is None else server_version
    return msgspec.structs.replace(status, ready=is_ready, last_updated=now, server_version=version)


def plain(status: TargetStatus) -> TargetStatus:
    """Return the status without text from other sources, for when the API server refuses it."""
    return msgspec.structs.replace(status, conditions=bounds.plain_conditions(status.conditions))


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
    conditions = with_condition(target.status.conditions, bounds.bounded(condition))
    return msgspec.structs.replace(target.status, conditions=conditions)
