"""From a target resource to the reply that clients see; there is no field for a credential."""

from krkn_grpc.resources.meta import Condition, find_condition
from krkn_grpc.resources.target import ADMITTED, READY, Target
from krkn_grpc.server.times import rfc3339
from krkn_grpc.v1 import targets_pb2


def target_message(target: Target) -> targets_pb2.Target:
    """Return the reply for one target."""
    # A spec that was written just now has not been checked, whatever was found before.
    is_ready = target.status.ready and target.is_admitted
    telling = None if is_ready else _against(target)
    return targets_pb2.Target(
        uuid=target.metadata.name,
        cluster_name=target.spec.cluster_name,
        cluster_api_url=target.spec.cluster_api_url,
        secret_type=target.spec.secret_type,
        ready=is_ready,
        reason="" if telling is None else telling.reason,
        message="" if telling is None else telling.message,
        created_at=rfc3339(target.metadata.creation_timestamp),
        last_checked=rfc3339(target.status.last_updated),
    )


def _against(target: Target) -> Condition | None:
    """Return what keeps the target, as it is now, from being ready; None until that is known."""
    # What keeps it from being admitted matters more than what the last check found.
    kind = ADMITTED if target.was_refused else READY
    condition = find_condition(target.status.conditions, kind)
    is_current = (
        condition is not None and condition.observed_generation == target.metadata.generation
    )
    return condition if is_current else None
