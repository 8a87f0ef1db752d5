"""Adopted targets: their identity, the origin of their credential, their right to run. Pure.

Another provider's cluster becomes a KrknOperatorTarget whose uuid follows from the provider and the
cluster's name alone. So an adoption that is repeated finds its target, a cluster that comes back
is the same target, and a reader can compute which target a discovered cluster is.

`Adoption` is the JSON in the annotation `well_known.ADOPTION`: of the target what was last decided
for it, and of its Secret where the data comes from. It is not in the status: other conditions of a
target are written after each look at its cluster, at any time.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Self

import msgspec

from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.ids import hashed_id, is_hashed
from krkn_grpc.resources.kubeconfig import normalise_url
from krkn_grpc.resources.meta import ObjectMeta, Struct
from krkn_grpc.resources.target import Target


class Source(Struct, frozen=True, kw_only=True, order=True):
    """A completed request. The later one is the greater: by its creation, then by its uid.

    Both are from the API server. `status.completed` is from the clock of the provider that was
    last, so a provider whose clock is fast would hide all later requests.
    """

    requested: datetime
    request_uid: str


class Adoption(Struct, frozen=True, kw_only=True):
    """What was decided for an adopted target, and when its credential was copied.

    `source` is the newest request that was looked at, `credential` the one that the credential is
    from: the provider may know a cluster without a usable kubeconfig. `probe_from` is the moment
    from which a probe is one of that credential. Without `credential` there is no Secret yet.
    """

    provider: str
    source: Source
    credential: Source | None = None
    probe_from: datetime | None = None
    is_gone: bool = False

    @classmethod
    def of(cls, metadata: ObjectMeta) -> Self | None:
        """Return what the annotation says; None without one, or when it cannot be read."""
        try:
            return msgspec.json.decode(metadata.annotations[well_known.ADOPTION], type=cls)
        except (KeyError, msgspec.MsgspecError, RecursionError):
            return None

    @property
    def annotation(self) -> dict[str, str]:
        """The annotation that says this."""
        return {well_known.ADOPTION: msgspec.json.encode(self).decode()}


def adopted_uuid(provider: str, cluster_name: str) -> str:
    """Return the uuid of the target that is adopted from this provider's cluster."""
    # As JSON, so that no two pairs have one spelling.
    return hashed_id(json.dumps(["adopted", provider, cluster_name]))


def provider_label(provider: str) -> dict[str, str]:
    """Return the label of the targets that are adopted from the provider."""
    return {well_known.TARGET_PROVIDER: well_known.as_label_value(provider)}


def is_adopted(target: Target) -> bool:
    """Whether the target belongs to a provider.

    Its label says so, and its uuid, for no one can take that away from it.
    """
    return well_known.TARGET_PROVIDER in target.metadata.labels or is_hashed(target.metadata.name)


def provider_of(target: Target) -> str:
    """Return the name of the target's provider: ours, or the one that it is adopted from.

    Of an adopted target whose note is lost, the label has the name, maybe cut.
    """
    if not is_adopted(target):
        return names.PROVIDER
    adoption = Adoption.of(target.metadata)
    if adoption is not None:
        return adoption.provider
    return target.metadata.labels.get(well_known.TARGET_PROVIDER, "")


def is_adopted_from(target: Target, provider: str) -> bool:
    """Whether the target is adopted from this provider; its uuid says from which cluster."""
    return provider_label(provider).items() <= target.metadata.labels.items()


def withheld(target: Target, providers: Sequence[str]) -> str | None:
    """Return why no run may start on an adopted target for now; None when it may.

    `providers` are those whose clusters are adopted now.
    """
    if not is_adopted(target):
        return None
    adoption = Adoption.of(target.metadata)
    if adoption is None:
        return "It is not known any more what the target was adopted from."
    if adoption.provider not in providers:
        return "Clusters of the target's provider are not adopted any more."
    if adoption.is_gone:
        return "The target's provider does not know the cluster any more."
    return None


def is_copied(target: Target) -> bool:
    """Whether the target has its credential: one that is being adopted has none yet."""
    adoption = Adoption.of(target.metadata) if is_adopted(target) else None
    return adoption is None or adoption.credential is not None


def probe_is_due_at(target: Target) -> datetime | None:
    """Return from when a target that was not probed with its present credential can be."""
    adoption = Adoption.of(target.metadata) if is_adopted(target) else None
    due = None if adoption is None else adoption.probe_from
    checked = target.status.last_updated
    return due if due is not None and (checked is None or checked < due) else None


def by_url(targets: Iterable[Target]) -> dict[str, Target]:
    """Return the admitted targets by their normalised URL; at most one has each."""
    return {
        normalise_url(target.spec.cluster_api_url): target
        for target in targets
        if target.is_admitted
    }
