"""What the controller remembers of targets between their turns."""

from dataclasses import dataclass

import pytest

from controller.targets.decide import Past
from controller.targets.retry_state import RetryState
from krkn_grpc.kube.informer import CacheChange
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.target import Target
from tests.unit.controller.targets.builders import NOW, ATarget

WINNER, LOSER, THIRD = (f"6f1c1b6e-0000-4000-8000-00000000000{number}" for number in range(3))


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def seen(new: ATarget | None, old: ATarget | None = None) -> CacheChange[Target]:
    return CacheChange(
        None if old is None else old.built(), None if new is None else new.built(), 7, True
    )


def test_what_is_remembered_is_of_one_generation() -> None:
    clock = Clock()
    memory, target = RetryState(clock), ATarget()
    assert memory.past(target.built()) == Past()
    clock.now += 5
    assert [memory.checked(target.built(), ok) for ok in (False, False, True, False)] == [
        1,
        2,
        0,
        1,
    ]
    memory.refused(target.built())
    clock.now += 2
    assert memory.past(target.built()) == Past(7, 1, 2)
    assert memory.past(target.with_metadata(generation=3).built()) == Past()


def test_a_request_for_a_check_is_remembered_when_it_was_answered() -> None:
    memory, target = RetryState(Clock()), ATarget()
    asked = target.with_metadata(annotations={well_known.CHECK_REQUESTED: "2026"}).built()
    memory.checked(asked, True)
    assert memory.past(asked).answered == ""
    memory.answered(asked)
    assert memory.past(asked).answered == "2026"


def test_a_version_is_asked_for_once_an_hour_and_for_each_spec() -> None:
    clock = Clock()
    memory, target = RetryState(clock), ATarget()
    due = []
    for _ in range(4):
        due.append(memory.version_is_due(target.built()))
        clock.now += 1_800
    assert due == [True, False, True, False]
    assert memory.version_is_due(target.with_metadata(generation=3).built())


def test_a_new_target_of_the_same_name_is_another_one() -> None:
    memory, target = RetryState(Clock()), ATarget().built()
    memory.checked(target, False)
    memory.freed_by(seen(None, ATarget()))
    assert memory.past(target) == Past()


@pytest.mark.parametrize(
    ("change", "woken"),
    [
        pytest.param(lambda first: seen(None, first), [LOSER], id="deleted"),
        pytest.param(
            lambda first: seen(first.with_metadata(deletion_timestamp=NOW), first),
            [LOSER],
            id="about to go",
        ),
        pytest.param(
            lambda first: seen(ATarget("other", first.url, WINNER).admitted(), first),
            [LOSER],
            id="renamed",
        ),
        pytest.param(
            lambda first: seen(ATarget("other", first.url, WINNER).admitted(generation=1), first),
            [],
            id="being renamed",
        ),
        pytest.param(
            lambda first: seen(ATarget("cluster", "https://10.0.0.2", WINNER).admitted(), first),
            [],
            id="another URL",
        ),
        pytest.param(lambda first: seen(first.checked(ready=True), first), [], id="checked"),
    ],
)
def test_a_loser_is_tried_again_when_the_winner_frees_what_it_wants(
    change: object, woken: list[str]
) -> None:
    memory = RetryState(Clock())
    first = ATarget("cluster", "https://10.0.0.1", WINNER).admitted()
    assert memory.freed_by(seen(first)) == []
    loser = ATarget("cluster", "https://10.0.0.3", LOSER).built()
    for target in (loser, ATarget("another", "https://10.0.0.4", THIRD).built()):
        memory.past(target)
        memory.refused(target)
    assert callable(change)
    assert memory.freed_by(change(first)) == woken
    assert (memory.past(loser).refused_seconds is None) == bool(woken)


def test_a_loser_is_tried_again_when_the_change_is_complete() -> None:
    memory = RetryState(Clock())
    memory.freed_by(seen(ATarget("cluster", uuid=WINNER).admitted()))
    memory.past(ATarget("cluster", "https://10.0.0.3", LOSER).built())
    memory.refused(ATarget("cluster", "https://10.0.0.3", LOSER).built())
    assert memory.freed_by(seen(ATarget("other", uuid=WINNER).admitted(generation=1))) == []
    url = "https://10.9.9.9"
    assert memory.freed_by(seen(ATarget("other", url, WINNER).admitted())) == [LOSER]


def test_what_a_target_held_before_it_was_changed() -> None:
    memory = RetryState(Clock())
    old = ATarget("cluster").admitted()
    memory.freed_by(seen(old))
    assert memory.formerly_held(old.built()) == frozenset()
    new = ATarget("other").admitted(generation=1)
    memory.freed_by(seen(new, old))
    assert memory.formerly_held(new.built()) == {names.name_reservation("cluster")}
    memory.freed_by(seen(ATarget("other").admitted(), new))
    assert memory.formerly_held(ATarget("other").built()) == frozenset()


def test_what_becomes_free_during_a_turn_is_not_missed() -> None:
    memory = RetryState(Clock())
    winner = ATarget("cluster", uuid=WINNER).admitted()
    memory.freed_by(seen(winner))
    loser = ATarget("cluster", "https://10.0.0.3", LOSER).built()
    memory.past(loser)
    assert memory.freed_by(seen(None, winner)) == [LOSER]
    memory.refused(loser)
    assert memory.past(loser).refused_seconds is None
    memory.refused(loser)
    assert memory.past(loser).refused_seconds == 0
