"""Translates a target resource to its reply, which has no field for a credential."""

from krkn_grpc.resources.adopted import provider_of
from krkn_grpc.resources.meta import Condition, find_condition
from krkn_grpc.resources.target import ADMITTED, READY, Target
from krkn_grpc.server import labels
from krkn_grpc.server.times import rfc3339
from krkn_grpc.v1 import targets_pb2


def target_message(target: Target) -> targets_pb2.Target:
    """Return the reply for one target."""
    is_ready = target.is_ready
    telling = None if is_ready else _against(target)
    ready = find_condition(target.status.conditions, READY) if is_ready else None
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
        labels=labels.shown(target.metadata.labels),
        ready_since=None if ready is None else rfc3339(ready.last_transition_time),
        # Of the cluster that the target is now, and not of one that it was before.
        server_version=target.status.server_version if target.is_checked else "",
        provider=provider_of(target),
        max_concurrent_jobs=target.spec.max_concurrent_jobs,
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
