"""docs/observability.md sends people to panels, rows and runbooks that there are."""

import re

from deploy.alerts import rules
from deploy.dashboard import picture
from deploy.dashboard.rows import ROWS
from deploy.local.services import REPOSITORY

PAGE = (REPOSITORY / "docs" / "observability.md").read_text()
TITLES = {panel.title for row in ROWS for panel in row.panels} | {row.title for row in ROWS}


def test_it_names_panels_as_they_are_called() -> None:
    tables = [line for line in PAGE.splitlines() if line.startswith("| ") and "?" in line]
    named = {name for line in tables for name in re.findall(r"\*\*(.+?)\*\*", line)}
    assert len(named) > 30
    assert named <= TITLES


def test_it_goes_through_the_first_row_in_its_order() -> None:
    [first, *_] = ROWS
    section = PAGE.split("## What to look at first")[1].split("\n\nFurther down")[0]
    questions = re.findall(r"^\| [^|]+\? \| \*\*(.+?)\*\*", section, re.MULTILINE)
    shown = [panel.title for panel in first.panels]
    assert questions == [title for title in shown if title in questions]
    assert set(shown) - set(questions) == {"Running jobs"}  # it says nothing by itself


def test_its_runbooks_are_of_alerts() -> None:
    named = set(re.findall(r"runbooks/(\w+)\.md", PAGE)) - {"README"}
    assert len(named) > 4
    assert named <= {alert.name for alert in rules.alerts()}


def test_the_picture_is_of_panels_that_there_are() -> None:
    panels = {(row.title, panel.title) for row in ROWS for panel in row.panels}
    assert set(picture.SHOWN) <= panels
    drawn = picture.FILE.read_text()
    assert all(panel in drawn for _, panel in picture.SHOWN)
    assert len(drawn) < 150_000
