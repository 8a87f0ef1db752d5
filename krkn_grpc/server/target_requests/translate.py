"""Translates target requests to replies, which have no field for a credential."""

from collections.abc import Iterable, Iterator

from google.protobuf import struct_pb2

from krkn_grpc.resources.provider import Provider
from krkn_grpc.resources.target_request import COMPLETED, PENDING, TargetRequestSummary
from krkn_grpc.server.target_requests.clusters import FoundCluster
from krkn_grpc.server.times import rfc3339
from krkn_grpc.v1 import target_requests_pb2 as pb


def discovery_message(request: TargetRequestSummary, providers: Iterable[Provider]) -> pb.Discovery:
    """Return the reply for one request; `providers` are all of the namespace."""
    status = request.status
    return pb.Discovery(
        uuid=request.metadata.name,
        status=status.status or PENDING,
        # Another provider's write may have removed it.
        created=rfc3339(status.created or request.metadata.creation_timestamp),
        completed=rfc3339(status.completed) if status.status == COMPLETED else None,
        missing_providers=sorted(set(_missing(request, providers))),
    )


def _missing(request: TargetRequestSummary, providers: Iterable[Provider]) -> Iterator[str]:
    completed = request.status.completed
    for provider in providers:
        created = provider.metadata.creation_timestamp
        is_later = completed is not None and created is not None and created > completed
        name = provider.spec.operator_name
        if provider.spec.active and not is_later and name not in request.status.target_data:
            yield name


def clusters_message(
    providers: Iterable[str], clusters: Iterable[FoundCluster]
) -> pb.ListClustersResponse:
    """Return the reply for the clusters; a provider without one has an empty list."""
    reply = pb.ListClustersResponse(status=COMPLETED)
    for provider in providers:
        reply.target_data[provider].SetInParent()
    for cluster in clusters:
        reply.clusters.append(_typed(cluster))
        reply.target_data[cluster.provider].values.append(_upstream(cluster))
    return reply


def _typed(cluster: FoundCluster) -> pb.Cluster:
    described = cluster.described
    return pb.Cluster(
        provider=cluster.provider,
        cluster_name=described.cluster_name,
        cluster_api_url=described.cluster_api_url,
        online=described.online,
        cluster_status=described.cluster_status,
        checked_at=described.checked_at or None,
        target_uuid=cluster.target_uuid,
    )


def _upstream(cluster: FoundCluster) -> struct_pb2.Value:
    """Return the cluster with the names that clients of krkn-operator read."""
    described = cluster.described
    fields: dict[str, str | bool] = {
        "cluster-name": described.cluster_name,
        "cluster-api-url": described.cluster_api_url,
        "targetUUID": cluster.target_uuid,
    }
    if described.online is not None:
        fields["online"] = described.online
    if described.cluster_status:
        fields["cluster-status"] = described.cluster_status
    if described.checked_at:
        fields["checked-at"] = described.checked_at
    value = struct_pb2.Value()
    value.struct_value.update(fields)
    return value
