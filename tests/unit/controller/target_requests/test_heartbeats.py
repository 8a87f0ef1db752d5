"""Which providers are alive."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from controller.target_requests.heartbeats import Heartbeats
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.provider import Provider, ProviderSpec, ProviderStatus
from tests.unit.controller.target_requests.requests import CREATED, OTHER

NOW = CREATED


@dataclass
class Clock:
    """A clock that a test sets."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def beat(at: datetime | None) -> Provider:
    """The provider with this heartbeat."""
    return Provider(
        metadata=ObjectMeta(name=OTHER),
        spec=ProviderSpec(operator_name=OTHER),
        status=ProviderStatus(timestamp=at),
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heartbeats(clock: Clock) -> Heartbeats:
    return Heartbeats(90, lambda: NOW, clock)


def test_an_unknown_provider_is_lost(heartbeats: Heartbeats) -> None:
    assert heartbeats.left(OTHER) <= 0


@pytest.mark.parametrize(("age", "left"), [(0, 90), (299, 90), (300, 0), (-10_000, 90)])
def test_at_first_sight_the_timestamp_must_be_recent(
    heartbeats: Heartbeats, age: float, left: float
) -> None:
    heartbeats.look(OTHER, beat(NOW - timedelta(seconds=age)))
    assert heartbeats.left(OTHER) == left


def test_one_that_has_not_beaten_yet_is_not_alive(heartbeats: Heartbeats) -> None:
    heartbeats.look(OTHER, beat(None))
    assert heartbeats.left(OTHER) <= 0
    heartbeats.look(OTHER, beat(NOW - timedelta(days=1)))
    assert heartbeats.left(OTHER) == 90


def test_one_whose_heartbeat_changes_is_alive_whatever_its_clock(
    heartbeats: Heartbeats, clock: Clock
) -> None:
    old = NOW - timedelta(days=365)
    heartbeats.look(OTHER, beat(old))
    heartbeats.look(OTHER, beat(old + timedelta(seconds=30)))
    assert heartbeats.left(OTHER) == 90
    clock.seconds += 60
    assert heartbeats.left(OTHER) == 30
    assert heartbeats.first_loss([OTHER, "unknown"]) == 30


def test_one_whose_heartbeat_stays_is_lost(heartbeats: Heartbeats, clock: Clock) -> None:
    heartbeats.look(OTHER, beat(NOW))
    clock.seconds += 60
    heartbeats.look(OTHER, beat(NOW))  # Another change than a heartbeat.
    clock.seconds += 30
    assert heartbeats.left(OTHER) <= 0
    assert heartbeats.first_loss([OTHER]) is None


def test_one_that_was_deleted_is_lost(heartbeats: Heartbeats) -> None:
    heartbeats.look(OTHER, beat(NOW))
    heartbeats.look(OTHER, None)
    assert heartbeats.left(OTHER) <= 0
