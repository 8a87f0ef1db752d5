"""Ids are canonical, never the same twice, and in the order of their moments."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.resources.ids import hashed_id, is_hashed, is_id, new_id, random_id

YEAR_2500_NS = 16_725_225_600 * 10**9
STEP_NS = 250  # a little more than the 4096th part of a millisecond
MOMENTS = st.integers(min_value=0, max_value=YEAR_2500_NS)


@given(moment=MOMENTS, later=st.integers(min_value=STEP_NS, max_value=YEAR_2500_NS))
def test_a_later_id_is_greater(moment: int, later: int) -> None:
    assert new_id(moment) < new_id(moment + later)


@given(moment=MOMENTS)
def test_an_id_is_a_canonical_uuid_of_version_7(moment: int) -> None:
    made = new_id(moment)
    assert is_id(made)
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (7, uuid.RFC_4122)
    assert uuid.UUID(made).int >> 80 == moment // 10**6


def test_ids_of_one_moment_differ() -> None:
    assert len({new_id(1) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        str(uuid.UUID(int=0xA)).upper(),
        uuid.uuid4().hex,
        f"{{{uuid.uuid4()}}}",
        f"urn:uuid:{uuid.uuid4()}",
        f"{uuid.uuid4()}\n",
        f" {uuid.uuid4()}",
        f"{uuid.uuid4()}/x",
        str(uuid.UUID(int=1)).replace("0", "\N{ARABIC-INDIC DIGIT ZERO}"),
    ],
)
def test_nothing_else_is_an_id(text: str) -> None:
    assert not is_id(text)


def test_only_a_hashed_id_looks_like_one() -> None:
    assert is_hashed(hashed_id("a text"))
    others = (new_id(), random_id())
    assert not any(map(is_hashed, (*others, "", "x" * 36)))
