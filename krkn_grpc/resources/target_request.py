"""KrknTargetRequest: asks every provider for its clusters.

`TargetRequest` is the whole object. `TargetRequestSummary` is the same object without the clusters,
for caches: a request may hold 10,000 of them.
"""

from datetime import datetime
from typing import Literal

from krkn_grpc.resources.meta import API_VERSION, Condition, Kind, Resource, Struct

PENDING: Literal["pending"] = "pending"
COMPLETED: Literal["Completed"] = "Completed"

CONTRIBUTED = "Contributed"
PROVIDERS_MISSING = "ProvidersMissing"

SECRET_KEY = "managed-clusters"
"""In a request's Secret: JSON {provider: {cluster: {cluster-name, cluster-api, kubeconfig}}}."""

_KIND = Kind(API_VERSION, "KrknTargetRequest", "krkntargetrequests")

Phase = Literal["", "pending", "Completed"]


class TargetRequestSpec(Struct, frozen=True, kw_only=True):
    """The id of the request; equal to the object's name."""

    uuid: str


class ClusterTarget(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One cluster of a provider's answer."""

    cluster_name: str
    cluster_api_url: str
    """May be empty: the provider knows the cluster and not its address."""

    online: bool | None = None
    cluster_status: str = ""
    checked_at: str = ""


class AnyCluster(Struct, frozen=True, kw_only=True):
    """One cluster of a provider's answer, of which nothing is read."""


class TargetRequestStatus(Struct, frozen=True, kw_only=True):
    """The answers so far, by provider."""

    status: Phase = ""
    target_data: dict[str, list[ClusterTarget]] = {}
    created: datetime | None = None
    completed: datetime | None = None
    conditions: list[Condition] = []


class TargetRequestSummaryStatus(Struct, frozen=True, kw_only=True):
    """The state of the answers; `target_data` shows the providers that have answered."""

    status: Phase = ""
    target_data: dict[str, list[AnyCluster]] = {}
    created: datetime | None = None
    completed: datetime | None = None
    conditions: list[Condition] = []


class TargetRequest(Resource, frozen=True, kw_only=True):
    """A request for targets."""

    KIND = _KIND

    spec: TargetRequestSpec
    status: TargetRequestStatus = TargetRequestStatus()


class TargetRequestSummary(Resource, frozen=True, kw_only=True):
    """A request for targets without the clusters, so its status is only to be read."""

    KIND = _KIND

    spec: TargetRequestSpec
    status: TargetRequestSummaryStatus = TargetRequestSummaryStatus()


class DiscoveredCluster(Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=False):
    """One cluster of a provider's section in the request's Secret."""

    cluster_name: str = ""
    cluster_api: str = ""
    kubeconfig: str = ""
    """Base64 of the YAML; empty where the Secret has no room for it."""

    def __repr__(self) -> str:
        """Name the cluster without its credential, so that no log line can carry it."""
        return f"DiscoveredCluster({self.cluster_name})"


Section = dict[str, DiscoveredCluster]
"""The clusters of one provider, by name."""
