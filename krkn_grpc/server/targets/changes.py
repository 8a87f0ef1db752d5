"""What a call makes of a target: from the target as it is to the target as it should be.

Each change can be applied again to what another writer has made of the target meanwhile. It returns
the very same target when nothing is left to do.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

import msgspec

from krkn_grpc.resources import well_known
from krkn_grpc.resources.target import Target, TargetSpec
from krkn_grpc.resources.violation import Violation
from krkn_grpc.server import labels
from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.targets.confirmed import Change
from krkn_grpc.server.targets.validate import NewTarget, TargetPatch

_CHECK_SECONDS = 10.0


def replaced(spec: TargetSpec, new: NewTarget) -> Change:
    """Return the change that replaces the spec, and labels and limit where they are given."""
    return partial(_replaced, spec, new)


def patched(patch: TargetPatch) -> Change:
    """Return the change that sets and removes labels, and sets name and limit.

    It raises InvalidRequest when the target would have too many labels.
    """
    return partial(_patched, patch)


def check_requested(now: datetime) -> Change:
    """Return the change that asks the controller for a check, at most once in 10 seconds."""
    return partial(_check_requested, now)


def _replaced(spec: TargetSpec, new: NewTarget, target: Target) -> Target:
    if new.max_concurrent_jobs is None:
        spec = msgspec.structs.replace(spec, max_concurrent_jobs=target.spec.max_concurrent_jobs)
    # No other call names this Secret, so the labels were written, too. They may have changed since.
    if target.spec == spec:
        return target
    kept = target.metadata.labels
    if new.labels:
        own = {key: value for key, value in kept.items() if well_known.is_reserved(key)}
        kept = own | dict(new.labels)
    return _with_labels(msgspec.structs.replace(target, spec=spec), kept)


def _patched(patch: TargetPatch, target: Target) -> Target:
    before = target.metadata.labels
    after = {key: value for key, value in before.items() if key not in patch.removed}
    after |= patch.labels
    number = len(labels.shown(after))
    # kubectl may have given it more.
    if number > max(labels.MOST_LABELS, len(labels.shown(before))):
        rule = f"the target would have {number}, of at most {labels.MOST_LABELS}"
        raise InvalidRequest([Violation("labels", rule)])
    spec = target.spec
    if patch.cluster_name is not None:
        spec = msgspec.structs.replace(spec, cluster_name=patch.cluster_name)
    if patch.max_concurrent_jobs is not None:
        spec = msgspec.structs.replace(spec, max_concurrent_jobs=patch.max_concurrent_jobs)
    if after == before and spec == target.spec:
        return target
    return _with_labels(msgspec.structs.replace(target, spec=spec), after)


def _check_requested(now: datetime, target: Target) -> Target:
    noted = target.metadata.annotations
    requested = noted.get(well_known.CHECK_REQUESTED, "")
    if _is_recent(requested, now):
        return target
    moment = now.isoformat(timespec="milliseconds")
    metadata = msgspec.structs.replace(
        target.metadata, annotations=noted | {well_known.CHECK_REQUESTED: moment}
    )
    return msgspec.structs.replace(target, metadata=metadata)


def _is_recent(requested: str, now: datetime) -> bool:
    try:
        age = now - datetime.fromisoformat(requested)
    except (ValueError, TypeError):  # none, or not one of ours
        return False
    # Both ways: the clocks of two replicas differ. One far in the future counts for nothing.
    return abs(age) < timedelta(seconds=_CHECK_SECONDS)


def _with_labels(target: Target, changed: Mapping[str, str]) -> Target:
    metadata = msgspec.structs.replace(target.metadata, labels=dict(changed))
    return msgspec.structs.replace(target, metadata=metadata)
