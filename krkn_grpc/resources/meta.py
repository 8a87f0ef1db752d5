"""What every Kubernetes object carries: metadata, owners and conditions."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal, NamedTuple

import msgspec

GROUP = "krkn.krkn-chaos.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


class Struct(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False
):
    """A part of a Kubernetes object: immutable, camelCase on the wire, unset fields left out."""


class OwnerReference(Struct, frozen=True, kw_only=True):
    """Ties the life of an object to its owner's; never blocks the owner's deletion."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False


class ObjectMeta(Struct, frozen=True, kw_only=True):
    """The part of `metadata` that this project reads or writes."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []
    finalizers: list[str] = []

    def is_owned_by(self, uid: str) -> bool:
        """Whether the object with this uid is among the owners."""
        return any(owner.uid == uid for owner in self.owner_references)

    def is_controlled_by(self, uid: str) -> bool:
        """Whether the object with this uid is the owner that controls it."""
        return any(owner.controller and owner.uid == uid for owner in self.owner_references)


class Kind(NamedTuple):
    """The names of a kind of object: `name` in bodies, `plural` in paths."""

    api_version: str
    name: str
    plural: str


class Resource(Struct, frozen=True, kw_only=True):
    """Any Kubernetes object. Its kind belongs to the class, so no field holds it."""

    KIND: ClassVar[Kind]

    metadata: ObjectMeta


class Condition(Struct, frozen=True, kw_only=True):
    """A `metav1.Condition`: one claim about an object, with its reason."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    last_transition_time: datetime
    observed_generation: int = 0


def find_condition(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """Return the condition of this type, or None when it was never set."""
    return next((condition for condition in conditions if condition.type == kind), None)


def with_condition(conditions: Iterable[Condition], new: Condition) -> list[Condition]:
    """Return the conditions with `new` in place of the one of its type.

    The transition time changes only when the status does, as the field is defined.
    """
    kept = list(conditions)
    for index, old in enumerate(kept):
        if old.type == new.type:
            if old.status == new.status:
                new = msgspec.structs.replace(new, last_transition_time=old.last_transition_time)
            kept[index] = new
            return kept
    return [*kept, new]


def owner_of(owner: Resource, *, controller: bool = False) -> OwnerReference:
    """Return the reference by which `owner` owns another object, as its controller or not."""
    return OwnerReference(
        api_version=owner.KIND.api_version,
        kind=owner.KIND.name,
        name=owner.metadata.name,
        uid=owner.metadata.uid,
        controller=controller,
    )
