"""Which blackouts are in force, what is said of them, and when that changes."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from controller.blackouts.timetable import InForce, Timetable
from tests.unit.controller.jobs.builders import NOW, a_blackout

HOUR = timedelta(hours=1)
UNTIL = NOW + HOUR / 2


def test_those_in_force_in_their_order() -> None:
    later = a_blackout("later", schedule="0 13 * * *")
    longer = a_blackout("longer", duration_seconds=7200)
    bad = a_blackout("bad", schedule="often")
    usual = a_blackout("usual")
    table = Timetable()
    found = table.in_force((later, longer, bad, usual), NOW)
    assert found == (InForce(longer, UNTIL + HOUR), InForce(bad, None), InForce(usual, UNTIL))
    assert table.next_change == UNTIL


@pytest.mark.parametrize("zone", ["Etc/UTC", "Asia/Kolkata"])
def test_it_begins_and_ends_at_its_time(zone: str) -> None:
    schedule = "30 11 * * *" if zone == "Etc/UTC" else "0 17 * * *"
    blackouts = (a_blackout(schedule=schedule, time_zone=zone),)
    table, moment = Timetable(), timedelta(microseconds=1)
    begin = NOW - HOUR / 2
    for now, is_in_force, change in (
        (begin - moment, False, begin),
        (begin, True, UNTIL),
        (UNTIL - moment, True, UNTIL),
        (UNTIL, False, begin + 24 * HOUR),
    ):
        assert bool(table.in_force(blackouts, now)) == is_in_force
        assert table.next_change == change


@pytest.mark.parametrize("hours", [-30, -24, -1, 1, 24, 30, 24 * 365])
def test_a_clock_that_was_set(hours: int) -> None:
    """What is in force depends on the time alone, not on what was in force before."""
    blackouts, table = (a_blackout(),), Timetable()
    assert table.in_force(blackouts, NOW)
    for now in (NOW + hours * HOUR, NOW):
        assert table.in_force(blackouts, now) == Timetable().in_force(blackouts, now)


def test_a_changed_one_is_read_anew() -> None:
    table, before = Timetable(), a_blackout()
    assert table.in_force((before,), NOW)
    after = a_blackout(schedule="0 13 * * *")
    after = msgspec.structs.replace(
        after, metadata=msgspec.structs.replace(after.metadata, generation=2)
    )
    assert table.in_force((after,), NOW) == ()
    assert table.next_change == NOW + HOUR


def test_nothing_changes_without_any() -> None:
    table = Timetable()
    assert table.in_force((a_blackout(),), NOW)
    assert table.in_force((), NOW) == ()
    assert table.next_change is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "Blackout a-blackout is in force until 2026-03-01T12:30:00Z."),
        ({"time_zone": "Africa/Abidjan"}, "Blackout a-blackout is in force until 2026-03-01T12:30"),
        ({"schedule": "* * * * *"}, "Blackout a-blackout is in force; its end is not known."),
        ({"schedule": "often"}, "Blackout a-blackout cannot be read (spec.schedule): it blocks"),
        ({"time_zone": "Mars"}, "Blackout a-blackout cannot be read (spec.timeZone): it blocks"),
        ({"duration_seconds": 1}, "Blackout a-blackout cannot be read (spec.durationSeconds): it"),
        (
            {"target_selector": "a=("},
            "Blackout a-blackout cannot be read (spec.targetSelector): it",
        ),
    ],
)
def test_what_is_said_of_it(changes: dict[str, Any], message: str) -> None:
    [found] = Timetable().in_force((a_blackout(**changes),), NOW)
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("changes", "stops"),
    [
        ({}, False),
        ({"stop_running": True}, True),
        ({"stop_running": True, "schedule": "often"}, False),
        ({"stop_running": True, "target_selector": "a=("}, False),
    ],
    ids=["not asked", "asked", "at which time", "where"],
)
def test_it_stops_what_runs_only_where_that_was_surely_meant(
    changes: dict[str, Any], stops: bool
) -> None:
    [found] = Timetable().in_force((a_blackout(**changes),), NOW)
    assert found.stops_running == stops


@pytest.mark.parametrize(
    ("selector", "labels", "selects"),
    [
        ("", {}, True),
        ("env=prod", {"env": "prod"}, True),
        ("env=prod", {}, False),
        ("env=prod", None, True),
        ("env=(", {}, True),
    ],
)
def test_it_selects_targets_as_a_halt_does(
    selector: str, labels: dict[str, str] | None, selects: bool
) -> None:
    assert a_blackout(target_selector=selector).selects(labels) == selects
