"""Excludes targets that a server is still registering, or whose registration a crash ended.

The server marks a target that it registers, and admits it at the end. Until then no client knows
its id, so no client gets it; the controller ignores it, and removes it when its time limit is over.
A target written with kubectl has no mark, and the controller admits it.
"""

from datetime import datetime, timedelta

from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import ADMITTED, Target
from krkn_grpc.resources.well_known import REGISTERED_BY_SERVER

# A copy, made later with kubectl or from a backup, has the mark too, but it does not apply to the
# copy. No registration takes so long, and clocks differ by less.
_LONGEST = timedelta(minutes=10)


def mark(now: datetime) -> dict[str, str]:
    """Return the annotation of a target whose registration begins now."""
    return {REGISTERED_BY_SERVER: now.isoformat()}


def is_under_way(target: Target) -> bool:
    """Whether a server has begun to register the target and has not finished."""
    if find_condition(target.status.conditions, ADMITTED) is not None:
        return False
    created = target.metadata.creation_timestamp
    try:
        begun = datetime.fromisoformat(target.metadata.annotations[REGISTERED_BY_SERVER])
        return created is not None and abs(created - begun) < _LONGEST
    except (KeyError, ValueError, TypeError):  # no mark of ours, or one without a time zone
        return False


def is_registered(target: Target) -> bool:
    """Whether clients know the target: it is registered, and not being deleted."""
    return target.metadata.deletion_timestamp is None and not is_under_way(target)
