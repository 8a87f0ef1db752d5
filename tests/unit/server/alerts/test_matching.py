"""Many alerts and many runs: the same as one by one, and in pieces."""

import gc
import time
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.resources.alert_matchers import parse
from krkn_grpc.resources.chaos_run import ChaosRun, ChaosRunSpec
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server.alerts.matching import LONGEST_VALUE, Search


def a_run(*abort_on: str) -> ChaosRun:
    spec = ChaosRunSpec(
        targets=[], fingerprint="f", scenario_name="s", scenario_image="i", abort_on=[*abort_on]
    )
    return ChaosRun(metadata=ObjectMeta(name="a-run"), spec=spec)


def searched(labels: list[dict[str, str]], runs: list[ChaosRun]) -> Search:
    search = Search(labels, runs)
    while search.go_on():
        pass
    return search


values = st.sampled_from(["", "a", "b", "ab"])
alerts = st.lists(st.dictionaries(st.sampled_from("xyz"), values), max_size=6)
matchers = st.builds(
    lambda name, operator, value: f'{name}{operator}"{value}"',
    st.sampled_from("xyzu"),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from(["", "a", "b", "ab", "a|b", ".*", "a.*", ".+"]),
)
conditions = st.lists(matchers, min_size=1, max_size=3).map(lambda each: f"{{{','.join(each)}}}")


@given(alerts, st.lists(st.lists(conditions, max_size=3), max_size=4))
def test_the_same_as_one_by_one(labels: list[dict[str, str]], wanted: list[list[str]]) -> None:
    runs = [a_run(*abort_on) for abort_on in wanted]
    meeting = [
        [
            index
            for index, each in enumerate(labels)
            if any(parse(text).matches(each) for text in run.spec.abort_on)
        ]
        for run in runs
    ]
    search = searched(labels, runs)
    assert search.found == [
        (run, indices[0]) for run, indices in zip(runs, meeting, strict=True) if indices
    ]
    matched = {index for indices in meeting for index in indices}
    assert search.matched == sum(1 << index for index in matched)


def test_what_is_no_condition_is_met_by_each_alert() -> None:
    search = searched([{"alertname": "X"}, {}], [a_run("no condition"), a_run('{a="b"}')])
    assert [first for _, first in search.found] == [0]
    assert search.matched.bit_count() == 2
    assert searched([], [a_run("no condition")]).found == []


def test_an_expression_is_met_by_a_value_that_is_too_long_for_it() -> None:
    long = "x" * (LONGEST_VALUE + 1)
    for operator in ("=~", "!~"):
        for value, expected in ((long, 1), (long[1:], operator == "!~")):
            run = a_run(f'{{a{operator}"y"}}')
            assert searched([{"a": value}], [run]).matched == expected
    assert searched([{"a": long}], [a_run('{a="y"}'), a_run('{a="x"}')]).found == []


def pieces(search: Search) -> tuple[int, float]:
    """Search to the end; return how many pieces that takes, and the seconds of the longest."""
    count, longest, is_more = 0, 0.0, True
    gc.disable()  # A collection of what other tests have left is not the search's.
    try:
        while is_more:
            begun = time.thread_time()
            is_more = search.go_on()
            longest = max(longest, time.thread_time() - begun)
            count += 1
    finally:
        gc.enable()
    return count, longest


@pytest.mark.parametrize("operator", ["=", "!=", "=~", "!~"])
def test_very_many_are_looked_at_in_short_pieces(operator: str) -> None:
    number = count()
    labels = [{"alertname": f"A{index}", "pod": f"p{index}"} for index in range(1000)]
    runs = [
        a_run(*(f'{{pod="none",alertname{operator}"x{next(number)}"}}' for _ in range(16)))
        for _ in range(200)
    ]
    search = Search(labels, runs)
    many, longest = pieces(search)
    assert many > 1
    # A piece is 10 ms; the rest is for a busy machine.
    assert longest < 0.25
    assert search.found == []


def test_one_run_that_takes_long_is_looked_at_in_short_pieces() -> None:
    labels = [{"a": f"{index}" + "ab" * 400} for index in range(200)]
    expressions = [f'{{a=~"(.*)a.{{{length}}}c(.*)"}}' for length in range(290, 306)]
    search = Search(labels, [a_run(*expressions)])
    many, longest = pieces(search)
    assert many > 10
    assert longest < 0.25
    assert search.found == []
