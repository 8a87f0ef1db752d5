"""Tokens come back as they were given, for the same filters and the same method only."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.server import tokens
from tests.unit.server.runs.requests import violated

FILTERS = st.lists(st.text(max_size=10), max_size=4).map(tuple)


@given(st.integers(0, 2**63 - 1), FILTERS)
def test_a_revision_comes_back(revision: int, filters: tuple[str, ...]) -> None:
    assert tokens.read_revision(tokens.write_revision(revision, filters), filters) == revision


@given(st.floats(0, 2**40), st.text(), FILTERS)
def test_a_position_comes_back(created: float, name: str, filters: tuple[str, ...]) -> None:
    token = tokens.write_position(created, name, filters)
    assert tokens.read_position(token, filters) == (created, name)


@given(FILTERS, FILTERS)
def test_other_filters_are_refused(given_for: tuple[str, ...], asked: tuple[str, ...]) -> None:
    token = tokens.write_revision(1, given_for)
    if given_for == asked:
        assert tokens.read_revision(token, asked) == 1
    else:
        assert violated(lambda: tokens.read_revision(token, asked)) == ["resumeToken"]


def test_filters_are_told_apart_by_their_places() -> None:
    token = tokens.write_position(1, "n", ("a", "bc"))
    assert violated(lambda: tokens.read_position(token, ("ab", "c"))) == ["pageToken"]
    assert violated(lambda: tokens.read_position(token, ("a", "bc", ""))) == ["pageToken"]


def test_tokens_of_one_method_are_none_of_another() -> None:
    page, watch = tokens.write_position(1, "n", ()), tokens.write_revision(1, ())
    assert violated(lambda: tokens.read_revision(page, ())) == ["resumeToken"]
    assert violated(lambda: tokens.read_position(watch, ())) == ["pageToken"]


def encoded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


FINGERPRINT = json.loads(base64.urlsafe_b64decode(tokens.write_revision(1, ())))[1]


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "====",
        "\0",
        "ä" * 4,
        "e30=",
        encoded(["watch", FINGERPRINT, 1.5]),
        encoded(["watch", FINGERPRINT, "1"]),
        encoded(["watch", FINGERPRINT, None]),
        encoded(["watch", FINGERPRINT]),
        encoded(["watch", FINGERPRINT, 10**400]),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        tokens.write_revision(1, ())[:-5],
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert violated(lambda: tokens.read_revision(token, ())) == ["resumeToken"]


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_is_a_token_or_is_refused(token: str) -> None:
    assert violated(lambda: tokens.read_revision(token, ())) == ["resumeToken"]
    assert violated(lambda: tokens.read_position(token, ())) == ["pageToken"]
