"""Durations in few characters."""

import pytest

from krkn_grpc.resources.durations import short


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (599, "9m59s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (28_799, "7h59m"),
        (28_800, "8h"),
        (90_000, "25h"),
    ],
)
def test_a_duration_is_short(seconds: int, text: str) -> None:
    assert short(seconds) == text


def test_no_duration_that_a_job_may_have_is_long() -> None:
    assert max(len(short(seconds)) for seconds in range(90_000)) == 5
