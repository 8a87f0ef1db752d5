"""KrknOperatorTargetProvider: announces this service to other programs of the API group."""

from datetime import datetime

import msgspec

from krkn_grpc.resources.meta import API_VERSION, Kind, Resource, Struct


class ProviderSpec(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """The operator that provides targets, and whether it is active."""

    operator_name: str = msgspec.field(name="operator-name")
    active: bool = True


class ProviderStatus(Struct, frozen=True, kw_only=True):
    """The last heartbeat."""

    timestamp: datetime | None = None


class Provider(Resource, frozen=True, kw_only=True):
    """A provider of targets."""

    KIND = Kind(API_VERSION, "KrknOperatorTargetProvider", "krknoperatortargetproviders")

    spec: ProviderSpec
    status: ProviderStatus = ProviderStatus()
