"""From a target resource to the reply that clients see; there is no field for a credential."""

from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import ADMITTED, READY, Target
from krkn_grpc.server.times import rfc3339
from krkn_grpc.v1 import targets_pb2


def target_message(target: Target) -> targets_pb2.Target:
    """Return the reply for one target."""
    conditions = target.status.conditions
    admitted, ready = (
        find_condition(conditions, ADMITTED),
        find_condition(conditions, READY),
    )
    # What keeps it from being admitted matters more than what the last check found.
    telling = admitted if admitted is not None and admitted.status == "False" else ready
    is_ready = target.status.ready
    return targets_pb2.Target(
        uuid=target.metadata.name,
        cluster_name=target.spec.cluster_name,
        cluster_api_url=target.spec.cluster_api_url,
        secret_type=target.spec.secret_type,
        ready=is_ready,
        reason="" if telling is None or is_ready else telling.reason,
        message="" if telling is None or is_ready else telling.message,
        created_at=rfc3339(target.metadata.creation_timestamp),
        last_checked=rfc3339(target.status.last_updated),
    )
