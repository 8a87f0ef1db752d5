"""Our answer to a request: the ready targets of this service. Pure."""

from collections.abc import Iterable

import msgspec

from controller.target_requests.model import OwnAnswer
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import ClusterTarget, DiscoveredCluster

# The definition of the resource allows 10,000 for each provider. An object has at most 1.5 MiB, and
# other providers need room too.
_MOST_CLUSTERS = 10_000
_MOST_BYTES = 600 * 1024


def own_answer(targets: Iterable[Target], kubeconfigs: Iterable[str | None]) -> OwnAnswer:
    """Return the answer with these targets, by name; those without a kubeconfig are left out.

    `kubeconfigs` are base64 of YAML, one for each target, None for a credential that is refused.
    """
    usable = sorted(
        ((target, text) for target, text in zip(targets, kubeconfigs, strict=True) if text),
        key=lambda pair: pair[0].spec.cluster_name,
    )
    shown = [_shown(target) for target, _ in usable]
    room = _room_for(shown)
    section = {
        target.spec.cluster_name: DiscoveredCluster(
            cluster_name=target.spec.cluster_name,
            cluster_api=target.spec.cluster_api_url,
            kubeconfig=text,
        )
        for target, text in usable[:room]
    }
    return OwnAnswer(tuple(shown[:room]), section, left_out=len(shown) - room)


def _shown(target: Target) -> ClusterTarget:
    return ClusterTarget(
        cluster_name=target.spec.cluster_name, cluster_api_url=target.spec.cluster_api_url
    )


def _room_for(clusters: list[ClusterTarget]) -> int:
    """Return how many of the clusters, from the first one on, a request has room for."""
    left = _MOST_BYTES
    for number, cluster in enumerate(clusters[:_MOST_CLUSTERS]):
        left -= len(msgspec.json.encode(cluster)) + 1
        if left < 0:
            return number
    return min(len(clusters), _MOST_CLUSTERS)
