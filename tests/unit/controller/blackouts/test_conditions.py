"""What is said of a blackout in its status."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from controller.blackouts.conditions import status_of
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.order import INVALID, OrderStatus
from tests.unit.controller.jobs.builders import NOW, a_blackout

LATER = NOW + timedelta(minutes=5)


def test_one_that_can_be_read_needs_no_word() -> None:
    assert status_of(a_blackout(), NOW) == OrderStatus()


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"schedule": "often"}, "ScheduleInvalid", "spec.schedule"),
        ({"schedule": "0 0 30 2 *"}, "ScheduleInvalid", "spec.schedule"),
        ({"time_zone": "Mars/Olympus"}, "TimeZoneInvalid", "spec.timeZone"),
        ({"duration_seconds": 0}, "DurationInvalid", "spec.durationSeconds"),
        ({"target_selector": "env=("}, "SelectorInvalid", "spec.targetSelector"),
    ],
)
def test_one_that_cannot_be_read_says_which_field(
    changes: dict[str, Any], reason: str, field: str
) -> None:
    bad = a_blackout(**changes)
    status = status_of(bad, NOW)
    condition = find_condition(status.conditions, INVALID)
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", reason)
    assert condition.message.startswith(f"{field}: ")
    assert "nothing starts on any target" in condition.message
    assert status_of(msgspec.structs.replace(bad, status=status), LATER) == status


def test_only_its_targets_where_they_are_known() -> None:
    status = status_of(a_blackout(schedule="often", target_selector="env=prod"), NOW)
    condition = find_condition(status.conditions, INVALID)
    assert condition is not None
    assert condition.message.endswith("nothing starts on its targets.")


def test_one_that_was_mended_says_so_too() -> None:
    status = status_of(a_blackout(schedule="often"), NOW)
    mended = msgspec.structs.replace(a_blackout(), status=status)
    condition = find_condition(status_of(mended, LATER).conditions, INVALID)
    assert condition is not None
    assert (condition.status, condition.reason, condition.message) == ("False", "BlackoutRead", "")
    assert condition.last_transition_time == LATER
