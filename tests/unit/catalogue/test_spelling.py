"""Which known name an unknown one was meant to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.catalogue.spelling import MOST_NAMES, Spelling, distance

KNOWN = ["NAMESPACE", "NODE_SELECTOR", "DURATION", "END", "RUNS", "HOG_1"]


@pytest.mark.parametrize(
    ("given_name", "meant"),
    [
        ("NAMESPCE", "NAMESPACE"),
        ("NAMESAPCE", "NAMESPACE"),
        ("NAMESPACES", "NAMESPACE"),
        ("namespace", "NAMESPACE"),
        ("Namespce", "NAMESPACE"),
        ("NODE_SELECTORS", "NODE_SELECTOR"),
        ("NODESELECTOR", "NODE_SELECTOR"),
        ("DURATIONN", "DURATION"),
        ("RUN", None),
        ("RUNZ", "RUNS"),
        ("RANZ", None),  # two letters are too many for a short name
        ("END_", None),
        ("SEND", None),
        ("EDN", None),
        ("HOG_2", None),
        ("NAMESPACE_LABEL", None),
        ("LOG_LEVEL", None),
        ("POD_SELECTOR", None),  # another word
        ("NODE_SELECTRO", "NODE_SELECTOR"),
        ("NODE_SALACTOR", "NODE_SELECTOR"),
        ("NDOE_SELECTRO", "NODE_SELECTOR"),
        ("", None),
    ],
)
def test_the_name_that_was_meant(given_name: str, meant: str | None) -> None:
    assert Spelling(KNOWN).meant(given_name) == meant


def test_the_nearest_one_is_told() -> None:
    assert Spelling(["NODE_NAMEX", "NODE_NAMES"]).meant("NODE_NAMESS") == "NODE_NAMES"


def test_so_many_names_are_looked_at_and_no_more() -> None:
    spelling = Spelling(KNOWN)
    found = [spelling.meant("NAMESPCE") for _ in range(MOST_NAMES + 10)]
    assert found == ["NAMESPACE"] * MOST_NAMES + [None] * 10


def plain_distance(one: str, other: str) -> int:
    """The distance by its definition, without bounds."""
    rows = [[i + j for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            differs = one[i - 1] != other[j - 1]
            best = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + differs)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                best = min(best, rows[i - 2][j - 2] + 1)
            rows[i][j] = best
    return rows[-1][-1]


texts = st.text(alphabet="abc", max_size=8)


@given(one=texts, other=texts, most=st.integers(0, 3))
def test_the_distance_is_exact_up_to_its_bound(one: str, other: str, most: int) -> None:
    assert distance(one, other, most) == min(plain_distance(one, other), most + 1)


letters = st.characters(min_codepoint=ord("A"), max_codepoint=ord("Z"))


@given(
    known=st.text(letters, min_size=10, max_size=20),
    edits=st.lists(
        st.tuples(
            st.sampled_from(["insert", "remove", "replace", "swap"]), st.integers(0, 9), letters
        ),
        max_size=2,
    ),
)
def test_what_has_two_wrong_letters_is_always_found(
    known: str, edits: list[tuple[str, int, str]]
) -> None:
    name = known
    for edit, at, letter in edits:
        match edit:
            case "insert":
                name = name[:at] + letter + name[at:]
            case "remove":
                name = name[:at] + name[at + 1 :]
            case "replace":
                name = name[:at] + letter + name[at + 1 :]
            case _:
                name = name[:at] + name[at : at + 2][::-1] + name[at + 2 :]
    # Edits of the same place may be more edits of the name as a whole.
    if plain_distance(name, known) <= 2:
        assert Spelling([known]).meant(name) == known
