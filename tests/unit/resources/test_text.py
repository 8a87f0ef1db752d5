"""Names are taken by one rule, in the API and in what kubectl may write."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.resources import mounts
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.target import Target
from krkn_grpc.resources.text import WHITE_SPACE, can_be_shown, trimmed
from tests.unit.deploy.test_crd_schemas import schema_of

JOB = schema_of(ChaosJob)["properties"]["spec"]["properties"]
TARGET = schema_of(Target)["properties"]["spec"]["properties"]
FILE = JOB["files"]["items"]["properties"]

# Each end of what is refused or trimmed, and its neighbours.
EDGES = [
    chr(point + offset)
    for start, end in ((0, 0x1F), (0x7F, 0x9F), (0x2028, 0x202E), (0x2066, 0x2069))
    for point in (start, end)
    for offset in (-1, 0, 1)
    if point + offset >= 0
]
texts = st.text(
    st.one_of(
        st.sampled_from([*WHITE_SPACE, *EDGES, "a", "/", ":", ".", "\u200c", "\u200d", "\xad"]),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=8,
)


def matches(field: dict[str, Any], text: str) -> bool:
    """Whether a CRD's field takes the text. `$` is the very end in Go, as \\Z is in Python."""
    pattern = field["pattern"].removesuffix("$") + r"\Z"
    return len(text) >= field["minLength"] and re.match(pattern, text) is not None


def test_white_space_is_what_it_is_to_this_python() -> None:
    assert set(WHITE_SPACE) == {chr(point) for point in range(0x110000) if chr(point).isspace()}


@pytest.mark.parametrize("character", ["\n", "\x00", "\x7f", "\x9f", "\u2028", "\u202e", "\u2069"])
def test_what_cannot_be_shown(character: str) -> None:
    assert not can_be_shown(f"a{character}b")


@pytest.mark.parametrize(
    "character",
    [" ", "\xa0", "\xad", "\u3000", "\u200c", "\u200d", "\u200e", "\ufeff", "\U0001f6e0"],
)
def test_what_is_unusual_and_no_more(character: str) -> None:
    assert can_be_shown(f"a{character}b")


@given(texts)
def test_the_crds_take_the_names_that_the_api_takes(text: str) -> None:
    name = trimmed(text)
    assert matches(TARGET["clusterName"], text) is (
        bool(name) and name == text and can_be_shown(text)
    )
    assert matches(JOB["scenarioName"], text) is (bool(name) and can_be_shown(text))
    assert matches(FILE["name"], text) is (bool(text) and can_be_shown(text))


@given(texts)
def test_the_crds_take_no_less_paths_than_the_api(text: str) -> None:
    # What more is asked of a path is asked by rules (CEL), beside the pattern.
    if mounts.is_plain(f"/{text}"):
        assert matches(FILE["mountPath"], f"/{text}")
        assert matches(JOB["kubeconfigPath"], f"/{text}")
    elif ":" in text or not can_be_shown(text):
        assert not matches(FILE["mountPath"], f"/{text}")
        assert not matches(JOB["kubeconfigPath"], f"/{text}")
