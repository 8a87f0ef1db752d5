"""What a call makes of a target, also when another writer was faster."""

from datetime import timedelta

import msgspec
import pytest

from krkn_grpc.resources import well_known
from krkn_grpc.resources.target import Target
from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.targets import changes
from krkn_grpc.server.targets.validate import TargetPatch
from tests.unit.controller.targets.builders import NOW, ATarget

OURS = {well_known.TARGET_PROVIDER: "acm", well_known.JOB_ID: "x"}
NO_CHANGE = TargetPatch({}, frozenset(), None)


def a_target(**labels: str) -> Target:
    return ATarget().with_metadata(labels=labels).built()


def test_a_patch_sets_and_removes_the_keys_that_it_names() -> None:
    patch = TargetPatch({"b": "2", "c": "3"}, frozenset({"d", "e"}), "new")
    before = a_target(a="1", b="1", d="1", **OURS)
    after = changes.patched(patch)(before)
    assert after.metadata.labels == {"a": "1", "b": "2", "c": "3"} | OURS
    assert after.spec == msgspec.structs.replace(before.spec, cluster_name="new")
    assert changes.patched(patch)(after) is after


@pytest.mark.parametrize(("before", "given", "after"), [(None, 3, 3), (2, 0, 0), (2, None, 2)])
def test_a_patch_sets_the_limit_that_it_has(
    before: int | None, given: int | None, after: int | None
) -> None:
    target = a_target()
    spec = msgspec.structs.replace(target.spec, max_concurrent_jobs=before)
    target = msgspec.structs.replace(target, spec=spec)
    patch = TargetPatch({}, frozenset(), max_concurrent_jobs=given)
    assert patch.changes_spec is (given is not None)
    assert changes.patched(patch)(target).spec.max_concurrent_jobs == after


@pytest.mark.parametrize(
    "patch",
    [NO_CHANGE, TargetPatch({"a": "1"}, frozenset({"b"}), "cluster")],
)
def test_what_is_so_already_is_no_change(patch: TargetPatch) -> None:
    target = a_target(a="1")
    assert changes.patched(patch)(target) is target


def test_a_target_has_64_labels_at_most() -> None:
    full = {f"l{number}": "" for number in range(64)}
    one_more = changes.patched(TargetPatch({"more": ""}, frozenset(), None))
    with pytest.raises(InvalidRequest):
        one_more(a_target(**full, **OURS))
    instead = TargetPatch({"more": ""}, frozenset({"l0"}), None)
    assert len(changes.patched(instead)(a_target(**full)).metadata.labels) == 64
    # kubectl may have given it more: they can be changed and removed, and none be added.
    crowded = a_target(**full, other="", another="")
    assert changes.patched(instead)(crowded).metadata.labels.keys() >= {"more", "other"}
    with pytest.raises(InvalidRequest):
        one_more(crowded)


def asked(target: Target) -> str:
    return target.metadata.annotations[well_known.CHECK_REQUESTED]


def test_a_check_is_requested_once_in_ten_seconds() -> None:
    first = changes.check_requested(NOW)(ATarget().built())
    assert asked(first) == "2026-03-04T05:06:07.000+00:00"
    soon = changes.check_requested(NOW + timedelta(seconds=9.9))
    assert soon(first) is first
    # Another replica's clock may be behind.
    assert changes.check_requested(NOW - timedelta(seconds=3))(first) is first
    again = changes.check_requested(NOW + timedelta(seconds=10))(first)
    assert asked(again) == "2026-03-04T05:06:17.000+00:00"


@pytest.mark.parametrize("noted", ["soon", "", "2026-03-04T05:06:07", "2999-01-01T00:00:00+00:00"])
def test_a_note_that_is_not_ours_holds_up_no_check(noted: str) -> None:
    target = ATarget().with_metadata(annotations={well_known.CHECK_REQUESTED: noted, "b": "c"})
    after = changes.check_requested(NOW)(target.built())
    assert asked(after).startswith("2026-03-04T05:06:07")
    assert after.metadata.annotations["b"] == "c"
