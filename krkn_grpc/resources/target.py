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

SecretType = Literal["kubeconfig", "token", "credentials"]


class TargetSpec(Struct, frozen=True, kw_only=True):
    """What was registered. The credentials are in the Secret named by `secret_uuid` alone."""

    uuid: str
    cluster_name: str
    cluster_api_url: str = msgspec.field(name="clusterAPIURL")
    secret_type: SecretType
    secret_uuid: str = msgspec.field(name="secretUUID")
    ca_bundle: str = ""
    insecure_skip_tls_verify: bool = msgspec.field(name="insecureSkipTLSVerify", default=False)


class TargetStatus(Struct, frozen=True, kw_only=True):
    """What the controller found out; `ready` is information and gates nothing."""

    ready: bool = False
    last_updated: datetime | None = None
    conditions: list[Condition] = []


class Target(Resource, frozen=True, kw_only=True):
    """A registered cluster, named by its uuid."""

    KIND = Kind(API_VERSION, "KrknOperatorTarget", "krknoperatortargets")

    spec: TargetSpec
    status: TargetStatus = TargetStatus()

    @property
    def is_admitted(self) -> bool:
        """Whether this target holds its name and URL, for the spec as it is now."""
        admitted = find_condition(self.status.conditions, ADMITTED)
        return (
            admitted is not None
            and admitted.status == "True"
            and admitted.observed_generation == self.metadata.generation
            and self.metadata.deletion_timestamp is None
        )

    @property
    def was_refused(self) -> bool:
        """Whether admission was tried and lost, for the spec as it is now."""
        admitted = find_condition(self.status.conditions, ADMITTED)
        return (
            admitted is not None
            and admitted.status == "False"
            and admitted.observed_generation == self.metadata.generation
        )
