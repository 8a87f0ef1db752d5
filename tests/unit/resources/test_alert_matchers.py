"""Matchers of alerts are read as Prometheus and Alertmanager read them, and are answered fast."""

import re
import time
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from krkn_grpc.resources.alert_matchers import BadCondition, fault, parse

# What each condition is met by of these, by their index.
ALERTS: list[Mapping[str, str]] = [
    {},
    {"alertname": "X", "env": "prod"},
    {"alertname": "X", "env": "pre\nprod", "a.b c": "d"},
    {"alertname": "Y", "env": "", "text": 'a "quoted" \\ Ü\U0001f600'},
]
MET_BY = {
    '{alertname="X"}': [1, 2],
    '{alertname="X",}': [1, 2],
    ' { alertname = "X" , env = "prod" } ': [1],
    '{\n\talertname="X"\r\n}': [1, 2],
    '{alertname!="X"}': [0, 3],
    '{alertname="X",env!="prod"}': [2],
    '{env=""}': [0, 3],
    '{env!=""}': [1, 2],
    '{absent=""}': [0, 1, 2, 3],
    '{absent!=""}': [],
    '{env=~"p.*"}': [1],
    '{env=~"(?s)p.*"}': [1, 2],
    '{env=~"pro"}': [],
    '{env=~"pro|prod"}': [1],
    '{env=~""}': [0, 3],
    '{env=~".*"}': [0, 1, 3],
    '{env=~".+"}': [1],
    '{env!~".+"}': [0, 2, 3],
    '{env!~"p.*",alertname=~"X|Y"}': [2, 3],
    '{alertname=~"(?i)x"}': [1, 2],
    '{alertname="X",alertname="Y"}': [],
    '{env="pre\\nprod"}': [2],
    '{env=~"pre\\\\nprod"}': [2],
    '{env=~"pre\\\\sprod"}': [2],
    '{"a.b c"="d"}': [2],
    '{"alertname"="Y"}': [3],
    '{text="a \\"quoted\\" \\\\ \\u00dc\\U0001F600"}': [3],
    '{text="a \\"quoted\\" \\\\ Ü\U0001f600"}': [3],
    '{text=~"a .*Ü."}': [3],
    '{a:b="",_x1=""}': [0, 1, 2, 3],
}
NONE_OF_THEM = [
    "",
    " ",
    "{",
    "}",
    "{}",
    "{,}",
    "X",
    'alertname="X"',
    '{alertname="X"',
    'alertname="X"}',
    '{alertname="X"}}',
    '{alertname="X"} {a="b"}',
    'X{a="b"}',
    '{alertname="X" env="b"}',
    '{alertname="X",,env="b"}',
    "{alertname=X}",
    "{alertname='X'}",
    "{alertname=`X`}",
    '{alertname=="X"}',
    '{alertname~"X"}',
    '{alertname ! = "X"}',
    '{alertname>"X"}',
    "{alertname}",
    '{"X"}',
    '{=""}',
    '{""="X"}',
    '{1a="X"}',
    '{a-b="X"}',
    '{ä="X"}',
    '{a="X}',
    '{a="X\n"}',
    '{a="\\"}',
    '{a="\\."}',
    '{a="\\x41"}',
    '{a="\\u12"}',
    '{a="\\ud800"}',
    '{a="\\U00110000"}',
    '{a=~"("}',
    '{a=~"a**"}',
    '{a!~"\\\\1"}',
    '{a=~"(?=b)"}',
    '{a=~"a{1001}"}',
    '{a=~"(a{1000}){1000}"}',
    f'{{a="{"x" * 1019}"}}',
]


@pytest.mark.parametrize("text", MET_BY)
def test_what_a_condition_is_met_by(text: str) -> None:
    condition = parse(text)
    assert [index for index, labels in enumerate(ALERTS) if condition.matches(labels)] == MET_BY[
        text
    ]


@pytest.mark.parametrize("text", NONE_OF_THEM)
def test_what_is_no_condition(text: str) -> None:
    with pytest.raises(BadCondition):
        parse(text)
    why = fault(text)
    # A reply has room for as much.
    assert 0 < len(why.encode()) <= 200
    assert why.startswith(("must ", "a regular expression "))


def test_a_fault_says_where_it_is() -> None:
    assert fault('{a="b"}') == ""
    assert fault('{a="b",c}').endswith("one of = != =~ !~ is expected at 9")


def test_the_longest_condition() -> None:
    text = f'{{a="{"x" * 1018}"}}'
    assert len(text) == 1024
    assert parse(text).matches({"a": "x" * 1018})
    assert parse(f'{{a=~"{"x" * 1017}"}}').matches({"a": "x" * 1017})


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a*)*b", "(a|aa)+b", "(.*a){20}b", "(a?){100}a{100}b", "(x+x+)+y"]
)
def test_no_expression_is_slow(pattern: str) -> None:
    condition = parse(f'{{a=~"{pattern}"}}')
    begun = time.process_time()
    assert not condition.matches({"a": "a" * 100_000})
    assert time.process_time() - begun < 2


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
labels = st.dictionaries(st.from_regex(r"[a-c]", fullmatch=True), words, max_size=3)


def quoted(text: str) -> str:
    """The text as Go quotes it."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'


@given(st.text(max_size=50) | st.text('{}=!~",\\abu(*0 ', max_size=30))
@example('{a="b"}')
def test_any_text_is_a_condition_or_is_refused(text: str) -> None:
    if not fault(text):
        assert parse(text).matches({}) in (True, False)


@given(labels, st.from_regex(r"[a-d]", fullmatch=True), words)
def test_values_are_compared_as_they_are(given: dict[str, str], name: str, value: str) -> None:
    has = given.get(name, "") == value
    assert parse(f"{{{name}={quoted(value)}}}").matches(given) == has
    assert parse(f"{{{name}!={quoted(value)}}}").matches(given) != has
    literally = quoted(re.sub(r"([^\w\s])", r"\\\1", value, flags=re.ASCII))
    if value.isascii() and len(literally) < 900:
        assert parse(f"{{{name}=~{literally}}}").matches(given) == has
        assert parse(f"{{{name}!~{literally}}}").matches(given) != has


@given(labels, st.lists(st.tuples(st.sampled_from("abcd"), words), min_size=1, max_size=5))
def test_all_matchers_must_match(given: dict[str, str], pairs: list[tuple[str, str]]) -> None:
    text = ",".join(f'"{name}"={quoted(value)}' for name, value in pairs)
    if len(text) < 1000:
        all_match = all(given.get(name, "") == value for name, value in pairs)
        assert parse(f"{{{text}}}").matches(given) == all_match
