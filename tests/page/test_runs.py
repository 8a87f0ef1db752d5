"""The list of runs: it is live, it filters, and it leads to a run."""

import re
import uuid
from typing import Literal

import pytest
from playwright.async_api import expect

from tests.page.opened import Opened
from tests.support.browser import Browser, axe
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import Rest
from tests.support.running import Running


def a_scenario() -> str:
    """The name of a scenario that no other run has; it is not in the catalogue."""
    return f"scenario-{uuid.uuid4().hex[:8]}"


async def test_the_key_is_taken_out_of_the_address(opened: Opened) -> None:
    key = opened.services.page_url.partition("#token=")[2]
    assert len(key) > 20
    await expect(opened.page).to_have_url(re.compile("^[^?]*#/runs$"))
    assert not [url for url in opened.tab.requests if key in url.partition("#")[0]]
    await opened.page.reload()
    await expect(opened.heading("Runs")).to_be_visible()
    await expect(opened.page.get_by_role("heading", name="Sign in")).to_have_count(0)


async def test_a_run_comes_and_ends_in_sight(opened: Opened, rest: Rest) -> None:
    name = a_scenario()
    target = await rest.register()
    run = await rest.run_of(target, scenarioName=name, scenarioImage=f"{IMAGE}-never-ends")
    row = opened.row(name)
    await expect(row).to_contain_text("Running")
    await rest.delete(f"/api/v1/runs/{run}")
    await expect(row).to_contain_text("Stopped")


async def test_filters_are_kept_in_the_address(opened: Opened, rest: Rest) -> None:
    name, other, cluster = a_scenario(), a_scenario(), unused_name()
    target = await rest.register(clusterName=cluster)
    await rest.run_of(target, scenarioName=name, labels={"team": "payments"})
    failed = await rest.run_of(
        await rest.register(), scenarioName=other, scenarioImage=f"{IMAGE}-exit-1"
    )
    await rest.run_when(failed)
    search = opened.page.get_by_role("textbox", name="Filter the runs")
    for typed in (f"scenario:{name[:-1]}*", f"cluster:{cluster}", f"{name} label:team=payments"):
        await search.fill(typed)
        await expect(opened.page).to_have_url(re.compile(f"[?&]{typed.split()[-1][:5]}"))
        await expect(opened.row(name)).to_have_count(1)
        await expect(opened.row(other)).to_have_count(0)
    await opened.page.reload()
    await expect(search).to_have_value(f"label:team=payments {name}")
    await expect(opened.row(other)).to_have_count(0)
    await search.fill(other)
    await opened.page.get_by_role("combobox", name="Status").select_option("Failed")
    await expect(opened.row(other)).to_have_count(1)
    await opened.page.get_by_role("combobox", name="Status").select_option("Running")
    await expect(opened.heading("No run passes these filters")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
async def test_anybody_can_use_it(
    browser: Browser,
    page_services: Running,
    rest: Rest,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    name = a_scenario()
    target = await rest.register()
    run = await rest.run_of(target, "no-such-target", scenarioName=name, labels={"wave": "1"})
    await rest.run_when(run)
    async with browser.tab(width=width, scheme=scheme) as tab:
        other = Opened(tab, page_services)
        await other.start()
        for screen, seen in (
            ("/runs", other.row(name)),
            (f"/runs/{run}", other.page.get_by_role("table", name="Jobs")),
            (f"/runs/{run}/logs", other.page.get_by_text(re.compile(r"\d+ lines, ended"))),
            (f"/runs/{run}/details", other.page.get_by_text("At once")),
            ("/charts", other.page.get_by_role("img", name="Outcomes of jobs over time")),
        ):
            await other.go(screen)
            await expect(seen.first).to_be_visible()
            await tab.screenshot(f"{screen.split('/')[-1][:8]}-{width}-{scheme}")
            assert await axe(tab.page) == [], screen
            wide = await tab.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide == 0, f"{screen} is {wide} pixels too wide"
