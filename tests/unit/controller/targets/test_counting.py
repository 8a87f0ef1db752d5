"""What is counted of targets: how many are ready, why the others are not, and old checks."""

import pytest

from controller.targets.counting import TargetCounts
from krkn_grpc.kube.informer import CacheChange
from krkn_grpc.resources.target import READY
from krkn_grpc.telemetry import metrics
from tests.unit.controller.targets.builders import NOW, UUID, ATarget


def number(ready: str, reason: str) -> float:
    labels = {"ready": ready, "reason": reason}
    return metrics.CONTROLLER.get_sample_value("krkn_targets", labels) or 0.0


@pytest.mark.parametrize(
    ("target", "ready", "reason"),
    [
        pytest.param(ATarget(), "false", "NotChecked", id="new"),
        pytest.param(ATarget().admitted().checked(ready=True), "true", "Reachable", id="ready"),
        pytest.param(ATarget().checked(ready=False), "false", "Unreachable", id="unreachable"),
        pytest.param(
            ATarget().checked(ready=True, generation=1), "false", "NotChecked", id="changed"
        ),
        pytest.param(
            ATarget().with_condition(READY, "False", "canary"), "false", "Other", id="foreign"
        ),
        pytest.param(
            ATarget().with_condition(READY, "False", "DuplicateName"),
            "false",
            "DuplicateName",
            id="refused",
        ),
    ],
)
def test_a_target_is_counted_as_it_is(target: ATarget, ready: str, reason: str) -> None:
    counts, before, built = TargetCounts(), number(ready, reason), target.built()
    counts.changed(CacheChange(None, built, 1, is_whole=True))
    assert number(ready, reason) == before + 1
    counts.changed(CacheChange(built, None, 2, is_whole=True))
    assert number(ready, reason) == before


def test_the_oldest_check_is_that_of_the_target_that_waits_longest() -> None:
    now = 100.0
    counts = TargetCounts(lambda: now)
    assert counts.oldest_seconds() == 0
    counts.checked(UUID)
    now = 130.0
    counts.checked("another")
    now = 135.0
    assert counts.oldest_seconds() == 35
    counts.changed(CacheChange(ATarget().built(), None, 1, is_whole=True))
    assert counts.oldest_seconds() == 5
    counts.stopped()
    assert counts.oldest_seconds() == 0


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(
            ATarget().admitted().with_condition(READY, "False", "ProviderGone"), id="withheld"
        ),
        pytest.param(
            ATarget().admitted().checked(ready=True).with_metadata(deletion_timestamp=NOW),
            id="being deleted",
        ),
        pytest.param(ATarget().refused(), id="refused"),
    ],
)
def test_a_target_that_is_not_checked_any_more_does_not_wait_for_a_check(target: ATarget) -> None:
    now = 100.0
    counts = TargetCounts(lambda: now)
    checked = ATarget().admitted().checked(ready=True).built()
    counts.checked(UUID)
    counts.changed(CacheChange(None, checked, 1, is_whole=True))
    now = 130.0
    assert counts.oldest_seconds() == 30
    counts.changed(CacheChange(checked, target.built(), 2, is_whole=True))
    assert counts.oldest_seconds() == 0
