"""The API server's time, from the dates of its answers."""

import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest

from krkn_grpc.kube.server_time import ServerTime

NOW = 1_800_000_000.0


def answer(known: ServerTime, ahead: float, at: float, took: float = 0.02) -> None:
    """An answer that was written in the middle, by a server whose clock is so much ahead."""
    known.look(formatdate(at + took / 2 + ahead, usegmt=True), at, at + took)


def answers(known: ServerTime, ahead: float, begin: float = NOW) -> Iterator[None]:
    for number in range(200):
        answer(known, ahead, begin + number * 0.37)
        yield


@pytest.mark.parametrize("ahead", [0, 0.4, -0.4, 3, -3, 600, -600, 86_400 * 400])
def test_it_comes_close_and_never_goes_too_far(ahead: float) -> None:
    known = ServerTime()
    for _ in answers(known, ahead):
        assert min(ahead, 0) - 0.011 <= known.ahead_seconds <= max(ahead, 0) + 0.011
    assert abs(known.ahead_seconds - ahead) < 0.05 + (abs(ahead) if abs(ahead) < 0.02 else 0)


def test_clocks_that_agree_are_not_corrected() -> None:
    known = ServerTime()
    for _ in answers(known, 0):
        assert known.ahead_seconds == 0


def test_nothing_known_is_no_correction() -> None:
    assert ServerTime().ahead_seconds == 0


@pytest.mark.parametrize("step", [5, -5, 7_200, -7_200])
def test_a_clock_that_is_set_is_followed_at_once(step: float) -> None:
    known = ServerTime()
    for _ in answers(known, 0.3):
        pass
    answer(known, 0.3 + step, NOW + 1_000)
    assert abs(known.ahead_seconds - step) <= 1.4


def test_an_answer_that_took_long_says_little_and_spoils_nothing() -> None:
    known = ServerTime()
    for _ in answers(known, 60):
        pass
    before = known.ahead_seconds
    answer(known, 60, NOW + 500, took=15)
    assert known.ahead_seconds == before


@pytest.mark.parametrize("date", [None, "", "yesterday", "0", "Thu, 99 Jan 2026 00:00:00 GMT"])
def test_what_is_no_date_says_nothing(date: str | None) -> None:
    known = ServerTime()
    known.look(date, NOW, NOW)
    assert known.ahead_seconds == 0


def test_now_is_the_corrected_time() -> None:
    known = ServerTime()
    at = time.time()
    known.look(formatdate(at + 600, usegmt=True), at, at)
    assert 598 < known.now().timestamp() - time.time() < 602
