"""KrknTargetRequest: the question which clusters there are, asked of every provider."""

from datetime import datetime
from typing import Literal

import msgspec

from krkn_grpc.resources.meta import API_VERSION, Kind, Resource, Struct


class TargetRequestSpec(Struct, frozen=True, kw_only=True):
    """The id of the request; equal to the object's name."""

    uuid: str


class ClusterTarget(Struct, frozen=True, kw_only=True):
    """One cluster of a provider's answer."""

    cluster_name: str = msgspec.field(name="cluster-name")
    cluster_api_url: str = msgspec.field(name="cluster-api-url")


class TargetRequestStatus(Struct, frozen=True, kw_only=True):
    """The answers so far, by provider."""

    status: Literal["", "pending", "Completed"] = ""
    target_data: dict[str, list[ClusterTarget]] = {}
    created: datetime | None = None
    completed: datetime | None = None


class TargetRequest(Resource, frozen=True, kw_only=True):
    """A request for targets."""

    KIND = Kind(API_VERSION, "KrknTargetRequest", "krkntargetrequests")

    spec: TargetRequestSpec
    status: TargetRequestStatus = TargetRequestStatus()
