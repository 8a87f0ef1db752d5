"""Translates a target resource to its reply, which has no field for a credential."""

from krkn_grpc.resources.meta import Condition, find_condition
from krkn_grpc.resources.target import ADMITTED, READY, Target
from krkn_grpc.server.times import rfc3339
from krkn_grpc.v1 import targets_pb2


def target_message(target: Target) -> targets_pb2.Target:
    """Return the reply for one target."""
    # `ready` may be of an older spec: a spec that is not admitted yet was not checked.
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
    """Return the condition that explains why the target is not ready; None until it is current."""
    # A refused admission matters more than the result of the last check.
    kind = ADMITTED if target.was_refused else READY
    condition = find_condition(target.status.conditions, kind)
    is_current = (
        condition is not None and condition.observed_generation == target.metadata.generation
    )
    return condition if is_current else None
