"""What is said of a halt in its status."""

from datetime import UTC, datetime

import pytest

from controller.halts.conditions import status_of
from krkn_grpc.resources.halt import Halt, HaltSpec
from krkn_grpc.resources.meta import ObjectMeta, find_condition
from krkn_grpc.resources.order import INVALID, OrderStatus

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 12, 5, 0, tzinfo=UTC)


def a_halt(selector: str, status: OrderStatus | None = None, generation: int = 1) -> Halt:
    return Halt(
        metadata=ObjectMeta(name="a-halt", generation=generation),
        spec=HaltSpec(target_selector=selector),
        status=status or OrderStatus(),
    )


@pytest.mark.parametrize("selector", ["", "env=prod", "env in (a,b),!c", " "])
def test_one_that_can_be_read_needs_no_word(selector: str) -> None:
    assert status_of(a_halt(selector), NOW) == OrderStatus()


@pytest.mark.parametrize("selector", ["env=(", "a b", ",", "x" * 32_769])
def test_one_that_cannot_be_read_says_so_once(selector: str) -> None:
    status = status_of(a_halt(selector), NOW)
    condition = find_condition(status.conditions, INVALID)
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", "SelectorInvalid")
    assert "every target is halted" in condition.message
    assert status_of(a_halt(selector, status), LATER) == status


def test_one_that_was_mended_says_so_too() -> None:
    before = status_of(a_halt("env=("), NOW)
    status = status_of(a_halt("env=prod", before, generation=2), LATER)
    condition = find_condition(status.conditions, INVALID)
    assert condition is not None
    assert (condition.status, condition.message) == ("False", "")
    assert condition.last_transition_time == LATER
    assert status_of(a_halt("env=prod", status, generation=2), LATER) == status
