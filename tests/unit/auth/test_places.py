"""Streams have places, and one caller never takes all of them."""

from contextlib import ExitStack

import pytest

from krkn_grpc.server.auth.places import Places
from krkn_grpc.server.errors import TooMany


def test_one_caller_gets_half_and_leaves_the_rest_to_others() -> None:
    places = Places()
    with ExitStack() as open_streams:
        for _ in range(2):
            open_streams.enter_context(places.take("watch", "alice", 4))
        with pytest.raises(TooMany, match="you have"), places.take("watch", "alice", 4):
            pass
        for _ in range(2):
            open_streams.enter_context(places.take("watch", "bob", 4))
        with pytest.raises(TooMany, match="too many"), places.take("watch", "carol", 4):
            pass
        with places.take("logs", "alice", 4):
            pass
    with places.take("watch", "alice", 4):
        pass


def test_callers_without_a_name_share_all_places() -> None:
    places = Places()
    with places.take("watch", "", 2), places.take("watch", "", 2):
        with pytest.raises(TooMany), places.take("watch", "", 2):
            pass


def test_a_stream_that_fails_leaves_its_place() -> None:
    places = Places()
    for _ in range(5):
        with pytest.raises(ConnectionError), places.take("watch", "alice", 2):
            raise ConnectionError
