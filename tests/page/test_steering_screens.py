"""The screens to steer from: by everybody, on any screen, whatever is in the names."""

import pytest
from playwright.async_api import Page, expect

from tests.page.opened import Opened
from tests.support.browser import Browser, axe
from tests.support.requests import unused_name
from tests.support.rest import Rest

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def is_in_order(page: Page) -> None:
    """Nobody is kept out of what is shown, and nothing of it is beside the screen."""
    assert await axe(page) == []
    assert await page.evaluate(OVERFLOW) <= 0


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
async def test_anybody_can_steer(
    browser: Browser, opened: Opened, rest: Rest, width: int, scheme: str
) -> None:
    name = unused_name()
    target = await rest.register(clusterName=name, labels={"env": "test"})
    async with browser.tab(width=width, scheme="dark" if scheme == "dark" else "light") as tab:
        other = Opened(tab, opened.services)
        page = tab.page
        await other.start()
        await other.go(f"/targets?name={name}")
        await expect(other.row(name)).to_be_visible()
        await is_in_order(page)
        await tab.screenshot(f"targets-{width}-{scheme}")
        await other.go(f"/targets?target={target}")
        await expect(page.get_by_role("dialog", name=name)).to_be_visible()
        await is_in_order(page)
        await other.go("/targets?register=true")
        await expect(page.get_by_role("dialog", name="Register")).to_be_visible()
        await is_in_order(page)
        await other.go("/scenarios")
        await expect(page.get_by_text("Loads the CPUs of nodes").first).to_be_visible()
        await is_in_order(page)
        await tab.screenshot(f"scenarios-{width}-{scheme}")
        await other.go("/new?scenario=node-cpu-hog")
        await expect(page.locator("#parameter-TOTAL_CHAOS_DURATION")).to_have_value("60")
        await page.locator("#target-name").fill(name)
        await expect(page.get_by_role("checkbox", name=name)).to_be_visible()
        await is_in_order(page)
        await tab.screenshot(f"new-run-{width}-{scheme}")
        await page.get_by_role("button", name="Halt", exact=True).click()
        await expect(page.locator("#halt-reason")).to_be_focused()
        await is_in_order(page)
        await expect(page.get_by_role("dialog", name="Halt all chaos")).to_be_visible()
        await page.locator("#halt-selector").fill("env=test")
        some = page.get_by_role("dialog", name="Halt chaos on these clusters")
        await expect(some.get_by_role("button", name="Halt these clusters")).to_be_visible()
        assert tab.errors == []


async def test_a_scenario_that_cannot_be_read_is_not_called_unknown(opened: Opened) -> None:
    page = opened.page
    await page.route("**/scenarios/detail/**", lambda route: route.abort())
    await opened.go("/new?scenario=node-cpu-hog")
    await expect(page.get_by_text("The scenario cannot be read")).to_be_visible()
    await expect(page.get_by_text("the service does not answer")).to_be_visible()
    await page.unroute("**/scenarios/detail/**")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#parameter-TOTAL_CHAOS_DURATION")).to_have_value("60")
    opened.tab.errors[:] = [each for each in opened.tab.errors if "ERR_FAILED" not in each]


async def test_names_are_text(opened: Opened, rest: Rest) -> None:
    page, name = opened.page, f"<img src=hostile onerror=alert(1)>{unused_name()}"
    await rest.register(clusterName=name)
    await opened.go("/targets")
    await page.get_by_role("textbox", name="Name of the cluster").fill(name[-12:])
    await page.get_by_role("button", name=name, exact=True).click()
    await expect(page.get_by_role("dialog")).to_contain_text(name)
    await opened.go("/new?scenario=node-cpu-hog")
    await page.locator("#target-name").fill(name[-12:])
    await page.get_by_text(name, exact=True).click()
    await expect(page.get_by_text("--target").first).to_contain_text(name)
    halted = await rest.post("/api/v1/halts", {"reason": name, "targetSelector": "no=such"})
    try:
        await expect(page.get_by_role("status", name="Halts")).to_contain_text(name)
    finally:
        await rest.delete(f"/api/v1/halts/{halted.body['name']}")
    assert await page.locator("img[src=hostile]").count() == 0
    assert not [url for url in opened.tab.requests if "hostile" in url]
