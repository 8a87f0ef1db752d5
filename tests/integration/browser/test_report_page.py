"""The report as a page, in a real browser."""

from functools import partial
from operator import lt
from pathlib import Path
from typing import Literal

import pytest

from krkn_grpc.cli.reports import page
from krkn_grpc.cli.reports.model import Report
from krkn_grpc.cli.reports.texts import clean
from tests.support.browser import Browser, Tab, axe
from tests.support.reports import HOSTILE, hostile, of_many
from tests.support.waiting import eventually

# axe takes seconds for 200 targets.
REPORTS = {"many": lambda: of_many(60), "hostile": hostile}


def written(report: Report, folder: Path) -> str:
    """Write a report; return the URL of the file."""
    path = folder / "report.html"
    path.write_text(page.rendered(report))
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", REPORTS)
async def test_it_can_be_read(
    browser: Browser, tmp_path: Path, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    url = written(REPORTS[name](), tmp_path)
    async with browser.tab(width=width, scheme=scheme) as tab:
        await tab.page.goto(url)
        await tab.screenshot(f"report-{name}-{width}-{scheme}")
        assert await tab.page.evaluate("document.documentElement.scrollWidth") == width
        assert await axe(tab.page) == []
        # It asks for nothing, and its policy stops nothing that it has.
        assert (tab.requests, tab.errors) == ([url], [])


async def test_nothing_that_a_scenario_said_is_markup(tab: Tab, tmp_path: Path) -> None:
    url = written(hostile(), tmp_path)
    await tab.page.goto(url)
    assert await tab.page.locator("script, img, iframe, link, [style], [onerror]").count() == 0
    assert await tab.page.locator("style").count() == 1
    title = f"{' '.join(clean(HOSTILE).split())} on 3 targets: PartiallyFailed"
    assert await tab.page.title() == title
    log = await tab.page.locator("pre").text_content()
    assert log is not None
    assert log.splitlines()[1:5] == ["````", "</details>", "# a heading", "| a | b |"]
    assert (tab.requests, tab.errors) == ([url], [])


async def test_its_policy_lets_nothing_run_and_asks_nobody(tab: Tab, tmp_path: Path) -> None:
    """Also if something were to get into it."""

    async def errors() -> int:
        return len(tab.errors)

    await tab.page.goto(written(of_many(), tmp_path))
    for markup in (
        "<script>document.title = 'hit'</script>",
        "<img src='http://127.0.0.1:1/' onerror=\"document.title = 'hit'\">",
        "<style>body { display: none }</style>",
    ):
        before = await errors()
        put = "text => document.body.append(document.createRange().createContextualFragment(text))"
        await tab.page.evaluate(put, markup)
        # The browser tells it beside the answers to what it is asked.
        await eventually(errors, partial(lt, before))
    assert await tab.page.title() == "pod-scenarios on 200 targets: PartiallyFailed"
    assert await tab.page.locator("body").is_visible()
    assert all("Content Security Policy" in error for error in tab.errors)


async def test_the_worst_is_seen_first(tab: Tab, tmp_path: Path) -> None:
    await tab.page.goto(written(of_many(), tmp_path))
    heading = tab.page.get_by_role("heading", name="Not succeeded (16)")
    box = await heading.bounding_box()
    assert box is not None
    assert box["y"] < 400
    cards = await tab.page.locator("#bad summary").all_inner_texts()
    assert [text.split()[0] for text in cards] == ["Failed"] * 10 + ["Refused"] * 3 + [
        "Stopped"
    ] * 3
    bar = tab.page.get_by_role("img", name="Targets: 10 failed, 3 refused, 3 stopped, 184")
    assert await bar.count() == 1
    widths = await tab.page.locator("svg.bar rect").evaluate_all(
        "parts => parts.map(part => Math.round(Number(part.getAttribute('width'))))"
    )
    assert (sum(widths), widths[0]) == (1000, 920)


async def test_a_link_unfolds_a_target(browser: Browser, tmp_path: Path) -> None:
    url = written(of_many(), tmp_path)
    async with browser.tab(scripts=False) as tab:
        await tab.page.goto(url)
        job = tab.page.get_by_text("01a224c3-2c8b-7d5c-8000-000000000123", exact=True)
        assert not await job.is_visible()
        await tab.page.get_by_role("link", name="eu-west-123").click()
        await job.wait_for(state="visible")
        await tab.page.get_by_role("link", name="eu-west-199").click()
        await tab.page.get_by_text("01a224c3-2c8b-7d5c-8000-000000000199").wait_for()


async def test_what_failed_is_printed_whole(tab: Tab, tmp_path: Path) -> None:
    await tab.page.goto(written(of_many(), tmp_path))
    last = tab.page.locator("#bad pre").last
    assert not await last.is_visible()
    await tab.page.emulate_media(media="print")
    await tab.screenshot("report-many-print")
    assert await last.is_visible()
    assert await tab.page.locator("nav").is_hidden()
