"""Secrets, Leases and Events: the built-in objects that are written beside our own."""

from datetime import datetime

from krkn_grpc.resources.meta import Kind, Resource, Struct


class Secret(Resource, frozen=True, kw_only=True):
    """A Secret; `data` values are base64, `string_data` is write-only plain text."""

    KIND = Kind("v1", "Secret", "secrets")

    type: str = "Opaque"
    immutable: bool = False
    data: dict[str, str] = {}
    string_data: dict[str, str] = {}

    def __repr__(self) -> str:
        """Name the Secret without its content, so that no log line can carry it."""
        return f"Secret({self.metadata.namespace}/{self.metadata.name})"


def micro_time(moment: datetime) -> datetime:
    """Return the moment in a form that Kubernetes reads as MicroTime: always with a fraction."""
    return moment if moment.microsecond else moment.replace(microsecond=1)


class LeaseSpec(Struct, frozen=True, kw_only=True):
    """The holder of a Lease and its times."""

    holder_identity: str = ""
    lease_duration_seconds: int | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class Lease(Resource, frozen=True, kw_only=True):
    """A Lease: the leader's, or the reservation of a target's name or URL."""

    KIND = Kind("coordination.k8s.io/v1", "Lease", "leases")

    spec: LeaseSpec = LeaseSpec()


class ObjectReference(Struct, frozen=True, kw_only=True):
    """The object that an Event is about."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Event(Resource, frozen=True, kw_only=True):
    """A Kubernetes Event (events.k8s.io/v1)."""

    KIND = Kind("events.k8s.io/v1", "Event", "events")

    event_time: datetime
    reporting_controller: str
    reporting_instance: str
    action: str
    reason: str
    note: str
    type: str
    regarding: ObjectReference
