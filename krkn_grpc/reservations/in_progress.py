"""Which targets count: not those that a server is still registering, or began to and crashed.

The server marks what it registers, and admits it at the end. Until then nobody was told of the
target, so nobody is shown it; the controller leaves it alone, and removes it when its time is
over. What was written with kubectl has no mark and is the controller's to admit.
"""

from datetime import datetime, timedelta

from krkn_grpc.resources.labels import REGISTERED_BY_SERVER
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import ADMITTED, Target

# The mark of a copy, made later with kubectl or from a backup, says nothing of the copy. No
# registration takes so long, and clocks differ by less.
_LONGEST = timedelta(minutes=10)


def mark(now: datetime) -> dict[str, str]:
    """Return the annotation of a target whose registration begins now."""
    return {REGISTERED_BY_SERVER: now.isoformat()}


def is_under_way(target: Target) -> bool:
    """Whether a server has begun to register the target and has not come to the end."""
    if find_condition(target.status.conditions, ADMITTED) is not None:
        return False
    created = target.metadata.creation_timestamp
    try:
        begun = datetime.fromisoformat(target.metadata.annotations[REGISTERED_BY_SERVER])
        return created is not None and abs(created - begun) < _LONGEST
    except (KeyError, ValueError, TypeError):  # no mark of ours, or one without a time zone
        return False


def is_registered(target: Target) -> bool:
    """Whether the target is one that clients know of: registered, and not deleted."""
    return target.metadata.deletion_timestamp is None and not is_under_way(target)
