"""The clusters of a request, each with the target that it is here. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from krkn_grpc.resources.adopted import adopted_uuid, by_url, is_adopted, is_adopted_from
from krkn_grpc.resources.kubeconfig import normalise_url
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.target_request import ClusterTarget, TargetRequest


@dataclass(frozen=True)
class FoundCluster:
    """A cluster, as its provider has described it."""

    provider: str
    described: ClusterTarget
    target_uuid: str
    """The target of this service that is this cluster; empty: none is."""


class TargetIndex:
    """Finds the target that a provider's cluster is."""

    def __init__(self, targets: Iterable[Target]) -> None:
        """Index the adopted and the admitted ones of these targets."""
        targets = list(targets)
        self._adopted = {each.metadata.name: each for each in targets if is_adopted(each)}
        self._by_url = by_url(targets)

    def uuid_of(self, provider: str, cluster: ClusterTarget) -> str:
        """Return the target's uuid; empty if no target is this cluster.

        A target that was adopted from the cluster is that target, whatever its address is now.
        Other clusters are compared by address, because two may have had the same name. Our own must
        have the same name too: a target that has another name now is not the one that was offered.
        """
        uuid = adopted_uuid(provider, cluster.cluster_name)
        if uuid in self._adopted and is_adopted_from(self._adopted[uuid], provider):
            return uuid
        if not cluster.cluster_api_url:
            return ""
        target = self._by_url.get(normalise_url(cluster.cluster_api_url))
        if target is None:
            return ""
        if provider == PROVIDER and target.spec.cluster_name != cluster.cluster_name:
            return ""
        return target.metadata.name


def found_clusters(request: TargetRequest, targets: TargetIndex) -> Iterator[FoundCluster]:
    """Yield the clusters of all providers, by provider and name."""
    for provider, clusters in sorted(request.status.target_data.items()):
        for each in sorted(clusters, key=lambda cluster: cluster.cluster_name):
            yield FoundCluster(provider, each, targets.uuid_of(provider, each))
