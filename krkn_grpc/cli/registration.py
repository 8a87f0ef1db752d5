"""Registers targets so that it can be repeated: what is there is updated, and not refused."""

from collections.abc import Mapping

from krkn_grpc.cli import target_names
from krkn_grpc.cli.client import Client
from krkn_grpc.v1.targets_pb2 import (
    CreateTargetRequest,
    Target,
    UpdateTargetRequest,
)

CREATED, UPDATED = "created", "updated"


def apply(client: Client, wanted: CreateTargetRequest, known: Mapping[str, Target]) -> str:
    """Create a target, or update the one of its name; return which of them, in the past tense.

    `known` are the targets by name. Labels and the limit stay where they are left out. Raises
    KrknError.
    """
    found = known.get(wanted.cluster_name)
    if found is None:
        # A retry would be refused as a duplicate of the first call.
        client.call(client.targets.CreateTarget, wanted, is_repeatable=False)
        return CREATED
    client.call(client.targets.UpdateTarget, update_of(found.uuid, wanted))
    return UPDATED


def update_of(uuid: str, new: CreateTargetRequest) -> UpdateTargetRequest:
    """Return the request that makes a target as this registration would."""
    request = UpdateTargetRequest(
        uuid=uuid,
        cluster_name=new.cluster_name,
        secret_type=new.secret_type,
        cluster_api_url=new.cluster_api_url,
        ca_bundle=new.ca_bundle,
        kubeconfig=new.kubeconfig,
        token=new.token,
        username=new.username,
        password=new.password,
        labels=new.labels,
    )
    if new.HasField("max_concurrent_jobs"):
        request.max_concurrent_jobs = new.max_concurrent_jobs
    return request


def known_targets(client: Client) -> dict[str, Target]:
    """Return all targets by name."""
    return {target.cluster_name: target for target in target_names.all_targets(client)}
