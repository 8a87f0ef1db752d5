"""Calls have places, and one caller never takes all of them."""

from contextlib import ExitStack

import pytest

from krkn_grpc.server.auth.concurrency import ConcurrencyLimits
from krkn_grpc.server.auth.policy import CallClass
from krkn_grpc.server.errors import TooMany

WATCHES, LOGS = CallClass("watches", 4), CallClass("logs", 2)


def test_one_caller_gets_half_and_leaves_the_rest_to_others() -> None:
    places = ConcurrencyLimits()
    with ExitStack() as open_calls:
        for _ in range(2):
            open_calls.enter_context(places.take(WATCHES, "alice"))
        with pytest.raises(TooMany, match="of yours"), places.take(WATCHES, "alice"):
            pass
        for _ in range(2):
            open_calls.enter_context(places.take(WATCHES, "bob"))
        with pytest.raises(TooMany, match="too many calls are"), places.take(WATCHES, "carol"):
            pass
        with places.take(LOGS, "alice"):
            pass
    with places.take(WATCHES, "alice"):
        pass


def test_callers_without_a_name_share_all_places() -> None:
    places = ConcurrencyLimits()
    with ExitStack() as open_calls:
        for _ in range(2):
            open_calls.enter_context(places.take(LOGS, ""))
        with pytest.raises(TooMany), places.take(LOGS, ""):
            pass


def test_a_call_that_fails_leaves_its_place() -> None:
    places = ConcurrencyLimits()
    for _ in range(5):
        with pytest.raises(ConnectionError), places.take(LOGS, "alice"):
            raise ConnectionError
