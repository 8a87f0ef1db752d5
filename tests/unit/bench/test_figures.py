"""What the benchmark says of what it measured."""

import xml.etree.ElementTree as ET

import pytest

from tests.bench import growth
from tests.bench.chart import svg
from tests.bench.row import Goal, Row


def test_the_ratio_is_of_neighbours_for_the_machine_may_become_busy() -> None:
    row = Row.of_times("start", "1 job", ours=[2.0, 20.0, 4.0], bare=[1.0, 10.0, 1.0])
    assert row.ratio == pytest.approx(0.5)
    assert (row.value, row.bare) == (4000, 1000)


@pytest.mark.parametrize(
    ("goal", "ratio", "is_met"),
    [
        pytest.param(Goal(0.8, "at least"), 0.8, True, id="as much as it should be"),
        pytest.param(Goal(0.8, "at least"), 0.79, False, id="too little"),
        pytest.param(Goal(0.8, "at most"), 0.81, False, id="too much"),
        pytest.param(None, 0.1, None, id="no goal"),
    ],
)
def test_a_goal_is_met_or_missed(goal: Goal | None, ratio: float, is_met: bool | None) -> None:
    row = Row(group="g", name="n", value=7, unit="ms", ratio=ratio, goal=goal)
    assert row.is_met is is_met


def test_a_goal_without_a_ratio_is_of_the_value() -> None:
    assert Row(group="g", name="n", value=9, unit="", goal=Goal(9.3, "at most")).is_met
    assert not Row(group="g", name="n", value=10, unit="", goal=Goal(9.3, "at most")).is_met


def test_the_chart_has_a_bar_for_each_ratio_and_survives_any_name() -> None:
    rows = [
        Row(group="g", name="a < b & c", value=1, unit="ms", ratio=0.5, goal=Goal(0.8, "at least")),
        Row(group="g", name="far better", value=1, unit="ms", ratio=9.0),
        Row(group="g", name="no ratio", value=1, unit="ms"),
    ]
    picture = ET.fromstring(svg(rows))
    bars = picture.findall("{http://www.w3.org/2000/svg}rect")
    assert [bar.get("class") for bar in bars] == ["missed", "plain"]
    texts = [text.text for text in picture.findall("{http://www.w3.org/2000/svg}text")]
    assert texts == ["the bare loop", "g: a < b & c", "0.50", "g: far better", "9.00"]


def test_growth_of_a_time_beside_that_of_the_bare_loop() -> None:
    rows = [
        Row(group="start", name="10 jobs", value=4, bare=2, unit="ms", series="jobs", count=10),
        Row(group="start", name="100 jobs", value=60, bare=24, unit="ms", series="jobs", count=100),
    ]
    [grown] = growth.of(rows)
    assert (grown.value, grown.bare, grown.ratio) == (15, 12, 0.8)
    assert grown.name == "start, jobs: 10 to 100"
    assert grown.is_met is False, "the bare loop does not grow as much"


def test_growth_of_a_rate_is_that_of_its_cost() -> None:
    rows = [
        Row(group="reads", name="a", value=800, unit="/s", series="page", count=1_000),
        Row(group="reads", name="b", value=400, unit="/s", series="page", count=10_000),
        Row(group="reads", name="c", value=500, unit="/s", series="get", count=10_000),
        Row(group="reads", name="d", value=1, unit="/s"),
        Row(group="memory", name="e", value=90, unit="MiB", series="server", count=0),
    ]
    [grown] = growth.of(rows)
    assert (grown.value, grown.ratio, grown.is_met) == (2, None, True)
