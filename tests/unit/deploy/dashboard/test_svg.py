"""The picture of panels: titles, marks, names, and areas on top of each other."""

from xml.etree import ElementTree

import pytest

from deploy.dashboard.model import Line, Panel, Query, Unit, Window
from deploy.dashboard.svg import _SHADES, Drawn, _colors, svg

WINDOW = Window(1000.0, 1120.0, 60.0)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(*lines: Line, unit: Unit = "short", is_stacked: bool = False) -> ElementTree.Element:
    """The picture of one panel."""
    panel = Panel("Title", "Help.", [Query("up")], unit=unit, is_stacked=is_stacked)
    return ElementTree.fromstring(svg("All", [Drawn("Fish & <chips>", panel, lines)], WINDOW))


def line(name: str, *values: float) -> Line:
    return Line(name, [(1000.0 + 60 * number, value) for number, value in enumerate(values)])


def texts(picture: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def places(picture: ElementTree.Element, kind: str) -> list[list[tuple[float, float]]]:
    """The points of each line or area."""
    found = []
    for shape in picture.iter(f"{SVG}{kind}"):
        pairs = (pair.split(",") for pair in shape.attrib["points"].split())
        found.append([(float(x), float(y)) for x, y in pairs])
    return found


def test_it_says_what_it_shows() -> None:
    said = texts(drawn(line("one", 1, 2, 3), line("a < b", 0, 0, 1)))
    assert said[:2] == ["All", "Fish & <chips>"]
    assert said[-2:] == ["one", "a < b"]
    assert {"0", "1 min", "2 min"} <= set(said)


@pytest.mark.parametrize(
    ("unit", "most", "marks"),
    [
        ("short", 3, ["0", "1", "2", "3"]),
        ("short", 17, ["0", "5", "10", "15", "20"]),
        ("short", 0, ["0", "0.25", "0.5", "0.75", "1"]),
        ("s", 0.03, ["0", "10 ms", "20 ms", "30 ms"]),
        ("s", 90, ["0", "0.5 min", "1 min", "1.5 min"]),
        ("percentunit", 1, ["0", "25 %", "50 %", "75 %", "100 %"]),
        ("bytes", 150 * 2**20, ["0", "50 MiB", "100 MiB", "150 MiB"]),
        ("cpm", 140, ["0", "50 / min", "100 / min", "150 / min"]),
    ],
)
def test_marks_are_numbers_that_people_count_in(unit: Unit, most: float, marks: list[str]) -> None:
    picture = drawn(line("one", 0, most), unit=unit)
    shown = [each.text for each in picture.iter(f"{SVG}text") if each.get("class") == "end"]
    assert shown == marks


def test_lines_reach_the_value_that_they_have() -> None:
    [path] = places(drawn(line("one", 0, 1, 2)), "polyline")
    (left, floor), (_, middle), (right, top) = path
    assert left < right
    assert floor - middle == pytest.approx(middle - top, abs=0.2)


def test_a_line_has_a_gap_where_points_are_missing() -> None:
    gap = Line("one", [(1000.0, 1.0), (1060.0, 1.0), (1240.0, 1.0), (1300.0, 1.0)])
    assert [len(part) for part in places(drawn(gap), "polyline")] == [2, 2]


def test_an_area_begins_where_the_one_below_ends() -> None:
    lower, upper = places(drawn(line("one", 1, 2), line("two", 1, 1), is_stacked=True), "polygon")
    assert lower[:2] == list(reversed(upper[2:]))


def test_a_missing_point_of_an_area_is_nothing() -> None:
    one, two = line("one", 1, 1, 1), Line("two", [(1060.0, 3.0)])
    lower, upper = places(drawn(one, two, is_stacked=True), "polygon")
    assert [upper[0], upper[2]] == [lower[0], lower[2]]
    assert upper[1][1] < lower[1][1]


def test_a_panel_without_data_is_drawn() -> None:
    assert "Fish & <chips>" in texts(drawn())
    assert "Fish & <chips>" in texts(drawn(is_stacked=True))


def test_the_color_of_an_outcome_tells_it() -> None:
    names = ["Failed: OOMKilled", "Pending", "Succeeded: Completed", "Failed: ScenarioFailed"]
    colors = _colors([Line(name, []) for name in names])
    assert len(set(colors)) == len(names)
    assert {colors[0], colors[3]} <= set(_SHADES["red"])
    assert colors[2] in _SHADES["green"]
    assert colors[1] not in {shade for each in _SHADES.values() for shade in each}
