"""Label selectors are read as Kubernetes reads them."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.resources.label_selector import BadSelector, parse

# What each selects of these, by their index; tests/integration/runs asks the API server the same.
OBJECTS: list[Mapping[str, str]] = [
    {},
    {"a": "", "n": "7"},
    {"a": "b", "n": "007", "m": "1_0"},
    {"a": "c", "x": "1", "n": "12", "m": f"{2**63 - 1}"},
    {"example.com/a": "b", "in": "y", "n": "", "m": f"{2**63}"},
]
SELECTS = {
    "": [0, 1, 2, 3, 4],
    " \t": [0, 1, 2, 3, 4],
    "a": [1, 2, 3],
    "!a": [0, 4],
    " ! a ": [0, 4],
    "a=b": [2],
    "a==b": [2],
    " a = b ": [2],
    "a=": [1],
    "a!=b": [0, 1, 3, 4],
    "a!=": [0, 2, 3, 4],
    "a in (b)": [2],
    "a in(b,c)": [2, 3],
    "a  in  ( b , c ) ": [2, 3],
    "a in (b,)": [1, 2],
    "a in (,)": [1],
    "a in ()": [1],
    "a notin ()": [0, 2, 3, 4],
    "a notin (b,c)": [0, 1, 4],
    "in": [4],
    "in in (y)": [4],
    "a notin (b,c),x": [],
    "a,x": [3],
    "a in (b,c),x=1": [3],
    "a,!x,a!=b": [1],
    "example.com/a=b": [4],
    "example.com/a": [4],
    "a=b,a=c": [],
    f"{'a' * 63}!=x": [0, 1, 2, 3, 4],
    "n>7": [3],
    "n>6": [1, 2, 3],
    "n<8": [1, 2],
    "n<007": [],
    " n > 11 ": [3],
    "n>0,n<12": [1, 2],
    "n<12,a=b": [2],
    "m>0": [3],
    "m<11": [],
    f"m>{2**63 - 2}": [3],
    f"m<{2**63 - 1}": [],
    "a<1": [],
    "in>0": [],
}
REFUSED = [
    ",",
    "a,",
    ",a",
    "a,,b",
    "!",
    "!!a",
    "!a=b",
    "=b",
    "a=b=c",
    "a=b c",
    "a b",
    "a in",
    "a in b",
    "a in (b",
    "a in b)",
    "a in (b c)",
    "a in (b))",
    "a in ((b))",
    "a notin",
    "a IN (b)",
    "-a",
    "a-",
    "a/",
    "/a",
    "a/b/c",
    "A.com/a",
    "a..b/c",
    f"{'a' * 64}",
    f"{'a' * 254}/b",
    "a=-b",
    "a=b-",
    f"a={'b' * 64}",
    "a=b/c",
    "a\N{NO-BREAK SPACE}=b",
    "ä=b",
    "a==b==c",
    "a=(b)",
    "a>",
    "a<",
    ">1",
    "!a>1",
    "a>b",
    "a>-1",
    "a>1_0",
    "a>1.0",
    "a>=1",
    "a><1",
    "a>1>2",
    "a>1 2",
    "a>(1)",
    "a in (b>1)",
    f"a>{2**63}",
]
# Kubernetes takes the first part of it.
REFUSED_ONLY_HERE = ["a=b\0"]


@pytest.mark.parametrize("text", SELECTS)
def test_what_is_selected(text: str) -> None:
    selects = parse(text)
    assert [i for i, labels in enumerate(OBJECTS) if selects(labels)] == SELECTS[text]


@pytest.mark.parametrize("text", [*REFUSED, *REFUSED_ONLY_HERE])
def test_what_is_no_selector(text: str) -> None:
    with pytest.raises(BadSelector):
        parse(text)


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("a in", 5),
        ("a in  ", 7),
        ("a in b", 6),
        ("a in (b", 8),
        ("a in (b(c)", 8),
        ("a in (b,c d)", 11),
        ("a notin (-)", 10),
        ("env=(", 5),
        ("a=b,,c", 5),
        ("a=b,", 5),
        (",a", 1),
        ("!", 2),
        ("!a b", 4),
        ("!-a", 2),
        ("a b", 3),
        ("a==b==c", 5),
        ("ok, not/a/key = x", 5),
        ("a=b, c > one", 10),
        ("a=b, c >", 9),
        ("=b", 1),
        ("a)", 2),
    ],
)
def test_where_a_selector_goes_wrong(text: str, character: int) -> None:
    with pytest.raises(BadSelector, match=rf"^is not a label selector \(character {character}\)$"):
        parse(text)


def test_bounds() -> None:
    assert parse(",".join(["a"] * 64))({"a": ""})
    with pytest.raises(BadSelector, match="has more than 64 requirements"):
        parse(",".join(["a"] * 65))
    assert parse(" " * 32_768)({})
    for too_long in (" " * 32_769, "a" + " " * 32_768):
        with pytest.raises(BadSelector, match="is longer than 32768 characters"):
            parse(too_long)


WORDS = st.from_regex(re.compile(r"[a-c]([-._a-c]?[a-c]){0,2}", re.ASCII), fullmatch=True)
LABELS = st.dictionaries(WORDS, st.one_of(st.just(""), WORDS), max_size=3)
SPACES = st.sampled_from(["", " ", "\t "])


@given(LABELS, LABELS, st.data())
def test_a_selector_of_its_own_labels_selects_an_object(
    own: dict[str, str], others: dict[str, str], data: st.DataObject
) -> None:
    """All four ways to ask for what an object has hold exactly for what has it."""
    space = data.draw(SPACES)
    for key, value in own.items():
        has_it = others.get(key) == value
        for operator, holds in (("=", has_it), ("==", has_it), ("!=", not has_it)):
            assert parse(f"{key}{space}{operator}{space}{value}")(others) is holds
        assert parse(f"{key} in ({space}zz,{value}{space})")(others) is has_it
        assert parse(f"{key} notin ({value},{space}zz)")(others) is not has_it
        assert parse(key)(others) is (key in others)
        assert parse(f"!{space}{key}")(others) is (key not in others)
    all_of_it = parse(f"{space},".join(f"{key}={value}" for key, value in own.items()))
    assert all_of_it(own)
    assert all_of_it(others) is (own.items() <= others.items())


@given(st.text(st.sampled_from("ab1=!<>,() \tinot./-"), max_size=30) | st.text(max_size=30))
def test_anything_is_a_selector_or_is_refused(text: str) -> None:
    try:
        selects = parse(text)
    except BadSelector:
        return
    assert selects({"a": "b"}) in (True, False)


def test_all_labels_that_a_job_can_have_are_a_selector() -> None:
    prefix = ".".join(["p" * 49] * 5)[:253].ljust(253, "p")
    keys = [f"{prefix}/{number:063}" for number in range(64)]
    found = dict.fromkeys(keys, "v" * 63)
    text = ",".join(f"{key}={value}" for key, value in found.items())
    assert len(keys[0]) == 253 + 1 + 63
    selector = parse(text)
    assert selector(found)
    assert not selector({**found, keys[-1]: "w"})
    with pytest.raises(BadSelector):
        parse(f"{text},one-more")
