"""What the conditions of a target say, and what clients are shown of them."""

import msgspec
import pytest

from krkn_grpc.resources import target_conditions
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import ADMITTED, READY
from krkn_grpc.server.targets.translate import target_message
from tests.unit.controller.targets.builders import NOW, ATarget

NEW = ATarget()


def test_admission_forgets_what_was_found_of_another_spec() -> None:
    old = NEW.admitted(generation=1).checked(ready=True, generation=1)
    status = target_conditions.admitted(old.built(), NOW)
    assert not status.ready
    assert find_condition(status.conditions, READY) is None
    admitted = find_condition(status.conditions, ADMITTED)
    assert admitted is not None
    assert (admitted.status, admitted.observed_generation) == ("True", 2)


def test_admission_keeps_what_was_found_of_this_spec() -> None:
    status = target_conditions.admitted(NEW.refused().checked(ready=True).built(), NOW)
    assert status.ready
    assert find_condition(status.conditions, READY) is not None


def test_a_loser_is_not_ready() -> None:
    status = target_conditions.refused(
        NEW.admitted(generation=1).checked(ready=True).built(), "DuplicateName", "It is taken.", NOW
    )
    assert not status.ready
    assert status.last_updated == NOW
    for kind in (ADMITTED, READY):
        condition = find_condition(status.conditions, kind)
        assert condition is not None
        assert (condition.status, condition.reason) == ("False", "DuplicateName"), kind
        assert (condition.message, condition.observed_generation) == ("It is taken.", 2), kind


VERSION = "v1.31.2"


def test_a_version_is_of_the_cluster_that_a_target_is_now() -> None:
    status = target_conditions.checked(
        NEW.admitted().built(), True, "Reachable", "Fine.", NOW, server_version=VERSION
    )
    known = msgspec.structs.replace(NEW.built(), status=status)
    assert target_message(known).server_version == VERSION
    # A check that did not ask keeps it, also one that failed.
    after = target_conditions.checked(known, False, "Unreachable", "Away.", NOW)
    assert after.server_version == VERSION
    assert target_conditions.admitted(known, NOW).server_version == VERSION

    changed = msgspec.structs.replace(
        known, metadata=msgspec.structs.replace(known.metadata, generation=3)
    )
    assert target_message(changed).server_version == ""
    assert target_conditions.admitted(changed, NOW).server_version == ""
    assert target_conditions.refused(changed, "DuplicateName", "Taken.", NOW).server_version == ""


def test_ready_since_is_shown_while_it_is_ready() -> None:
    since = "2026-03-04T05:06:07Z"
    assert target_message(NEW.admitted().checked(ready=True).built()).ready_since == since
    for other in (NEW.admitted().checked(ready=False), NEW.checked(ready=True)):
        assert not target_message(other.built()).HasField("ready_since")


def test_a_loser_that_is_admitted_is_checked_anew() -> None:
    lost = target_conditions.refused(NEW.built(), "DuplicateName", "It is taken.", NOW)
    status = target_conditions.admitted(msgspec.structs.replace(NEW.built(), status=lost), NOW)
    assert not status.ready
    assert find_condition(status.conditions, READY) is None


@pytest.mark.parametrize(
    ("target", "ready", "reason"),
    [
        pytest.param(NEW, False, "", id="nothing known"),
        pytest.param(NEW.admitted(), False, "", id="not checked"),
        pytest.param(NEW.admitted().checked(ready=True), True, "", id="ready"),
        pytest.param(NEW.admitted().checked(ready=False), False, "Unreachable", id="not ready"),
        pytest.param(
            NEW.admitted(generation=1).checked(ready=True, generation=1), False, "", id="changed"
        ),
        pytest.param(
            NEW.admitted(generation=1).checked(ready=False, generation=1),
            False,
            "",
            id="changed, and was not ready",
        ),
        pytest.param(NEW.refused(), False, "DuplicateName", id="a loser"),
        pytest.param(
            NEW.refused().checked(ready=False), False, "DuplicateName", id="a loser, not ready"
        ),
        pytest.param(NEW.refused(generation=1), False, "", id="was a loser"),
    ],
)
def test_what_is_shown(target: ATarget, ready: bool, reason: str) -> None:
    shown = target_message(target.built())
    assert (shown.ready, shown.reason) == (ready, reason)
    assert bool(shown.message) == bool(reason)
