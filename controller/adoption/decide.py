"""Decides what an answer of a provider changes. Pure: the same input always gives the same answer.

    not adopted --- Create ---> adopted --- Copy: a newer answer has its credential ---> adopted
                                   |                                                        ^
                                   +--- Mark: a newer answer lacks the cluster ---> gone ---+

Only a newer answer changes a target: an older one that is processed late changes nothing. A target
is never deleted here.
"""

from collections.abc import Iterator

import msgspec

from controller.adoption.model import Action, Copy, Create, Found, Mark, Observed
from krkn_grpc.resources.adopted import Adoption, adopted_uuid, is_adopted_from
from krkn_grpc.resources.target import Target


def decide(seen: Observed) -> tuple[Action, ...]:
    """Return the actions for the clusters of the answer, and for those that it lacks."""
    listed = {adopted_uuid(seen.provider, name): name for name in seen.found}
    return (*_listed(seen, listed), *_missing(seen, listed))


def _listed(seen: Observed, listed: dict[str, str]) -> Iterator[Action]:
    for uuid, name in listed.items():
        found, target = seen.found[name], seen.targets.get(uuid)
        if target is None:
            if found.kubeconfig is not None and not found.same_as:
                adoption = Adoption(provider=seen.provider, source=seen.source)
                yield Create(name, found.kubeconfig, adoption)
        elif _is_ours(target, seen) and (action := _change(seen, target, name, found)) is not None:
            yield action


def _change(seen: Observed, target: Target, name: str, found: Found) -> Action | None:
    known = Adoption.of(target.metadata)
    if known is not None and known.source > seen.source:
        return None
    known = known or Adoption(provider=seen.provider, source=seen.source)
    wanted = msgspec.structs.replace(
        known, provider=seen.provider, source=seen.source, is_gone=False
    )
    if found.kubeconfig is not None and known.credential != seen.source:
        return Copy(target, name, found.kubeconfig, wanted)
    # Without a usable credential the former one stays: it may be valid still.
    return None if wanted == Adoption.of(target.metadata) else Mark(target, wanted)


def _missing(seen: Observed, listed: dict[str, str]) -> Iterator[Action]:
    for uuid, target in seen.targets.items():
        known = Adoption.of(target.metadata)
        if uuid in listed or known is None or not _is_ours(target, seen):
            continue
        if known.provider == seen.provider and known.source < seen.source:
            yield Mark(target, msgspec.structs.replace(known, source=seen.source, is_gone=True))


def _is_ours(target: Target, seen: Observed) -> bool:
    """Whether the object is a target of this provider: anyone may give an object such a name."""
    return target.metadata.deletion_timestamp is None and is_adopted_from(target, seen.provider)
