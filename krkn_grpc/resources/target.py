"""KrknOperatorTarget: one cluster that scenarios may be run against."""

from datetime import datetime
from typing import Literal

import msgspec

from krkn_grpc.resources.meta import (
    API_VERSION,
    Condition,
    Kind,
    Resource,
    Struct,
    find_condition,
)

ADMITTED = "Admitted"
READY = "Ready"

# Reasons for not being ready that are not a passing state of the cluster: no scenario may start.
ADDRESS_REFUSED = "AddressRefused"
INVALID_KUBECONFIG = "InvalidKubeconfig"
# These only of adopted targets: the cluster is our own, or is not known to be another one, or the
# provider does not know it any more.
OWN_CLUSTER = "OwnCluster"
IDENTITY_UNKNOWN = "IdentityUnknown"
PROVIDER_GONE = "ProviderGone"
_NEVER_RUN = frozenset(
    {INVALID_KUBECONFIG, ADDRESS_REFUSED, OWN_CLUSTER, IDENTITY_UNKNOWN, PROVIDER_GONE}
)

SecretType = Literal["kubeconfig", "token", "credentials"]


class TargetSpec(Struct, frozen=True, kw_only=True):
    """The registered cluster. Its credentials are only in the Secret named by `secret_uuid`.

    `max_concurrent_jobs` bounds the jobs that run on it at once; 0 is no bound, None the default.
    """

    uuid: str
    cluster_name: str
    cluster_api_url: str = msgspec.field(name="clusterAPIURL")
    secret_type: SecretType
    secret_uuid: str = msgspec.field(name="secretUUID")
    ca_bundle: str = ""
    insecure_skip_tls_verify: bool = msgspec.field(name="insecureSkipTLSVerify", default=False)
    max_concurrent_jobs: int | None = None


class TargetStatus(Struct, frozen=True, kw_only=True):
    """The controller's observations; `ready` is information and prevents nothing."""

    ready: bool = False
    last_updated: datetime | None = None
    server_version: str = ""
    """The version of the cluster's API server; of a remote, so only in the probe's narrow form."""
    conditions: list[Condition] = []


class Target(Resource, frozen=True, kw_only=True):
    """A registered cluster, named by its uuid."""

    KIND = Kind(API_VERSION, "KrknOperatorTarget", "krknoperatortargets")

    spec: TargetSpec
    status: TargetStatus = TargetStatus()

    @property
    def is_admitted(self) -> bool:
        """Whether this target holds its name and URL, for its current spec."""
        admitted = self._current(ADMITTED)
        is_going = self.metadata.deletion_timestamp is not None
        return admitted is not None and admitted.status == "True" and not is_going

    @property
    def was_refused(self) -> bool:
        """Whether admission was refused, for the current spec."""
        admitted = self._current(ADMITTED)
        return admitted is not None and admitted.status == "False"

    @property
    def is_changing(self) -> bool:
        """Whether its spec was changed, and is not admitted or refused yet: a moment as a rule."""
        is_new = find_condition(self.status.conditions, ADMITTED) is None
        is_going = self.metadata.deletion_timestamp is not None
        return not is_new and self._current(ADMITTED) is None and not is_going

    @property
    def is_ready(self) -> bool:
        """Whether it is ready as it is now: a spec that is not admitted yet was not checked."""
        return self.status.ready and self.is_admitted

    @property
    def is_checked(self) -> bool:
        """Whether its cluster was checked, for the current spec."""
        return self._current(READY) is not None

    @property
    def unfit(self) -> Condition | None:
        """The condition that forbids every run on it, for the current spec, or None."""
        ready = self._current(READY)
        is_unfit = ready is not None and ready.status != "True" and ready.reason in _NEVER_RUN
        return ready if is_unfit else None

    def _current(self, kind: str) -> Condition | None:
        """Return the condition of this type, if it is for the current spec."""
        found = find_condition(self.status.conditions, kind)
        is_current = found is not None and found.observed_generation == self.metadata.generation
        return found if is_current else None
