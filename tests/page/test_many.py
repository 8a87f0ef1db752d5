"""Many targets and a run on all of them: rows that are not in sight are not drawn."""

import asyncio

from playwright.async_api import Locator, expect

from tests.page.opened import Opened
from tests.support.requests import unused_name
from tests.support.rest import Rest

MANY = 120
AT_ONCE = 16
FEWEST = 5
"""Cards on a screen of 800 pixels, and what is kept beyond one of its ends."""
DRAWN = 60
"""Of 38 pixels each: a screen of 800, what is kept beyond both of its ends, and some more."""


async def register_many(rest: Rest, prefix: str) -> list[str]:
    """Register the targets PREFIX-000 and so on; return their uuids."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def register(number: int) -> str:
        async with turns:
            return await rest.register(clusterName=f"{prefix}-{number:03}")

    return await asyncio.gather(*map(register, range(MANY)))


async def few_are_drawn(opened: Opened, table: Locator) -> None:
    """Assert that a table has all rows for whoever scrolls, and few of them in the document."""
    await expect(table).to_have_attribute("aria-rowcount", str(MANY + 1))
    rows = table.get_by_role("row")
    assert FEWEST < await rows.count() <= DRAWN
    await opened.page.locator("#content").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    await expect(table.locator(f"tr[aria-rowindex='{MANY + 1}']")).to_be_visible()
    await expect(table.locator("tr[aria-rowindex='2']")).to_have_count(0)
    assert await rows.count() <= DRAWN


async def test_rows_in_sight_alone_are_drawn(opened: Opened, rest: Rest) -> None:
    prefix = unused_name()
    targets = await register_many(rest, prefix)
    run = await rest.run_of(*targets)

    await opened.go(f"/runs/{run}")
    await few_are_drawn(opened, opened.page.get_by_role("table", name="Jobs"))

    await opened.go(f"/targets?name={prefix}")
    await few_are_drawn(opened, opened.page.get_by_role("table", name="Targets"))
    await expect(opened.row(f"{prefix}-{MANY - 1}").get_by_role("link")).to_have_count(1)

    # As cards, which are some five times as high: their end is where the scroll bar ends.
    await opened.page.set_viewport_size({"width": 390, "height": 800})
    await opened.go("/runs")
    await expect(opened.heading("Runs")).to_be_visible()
    await opened.go(f"/targets?name={prefix}")
    await few_are_drawn(opened, opened.page.get_by_role("table", name="Targets"))

    # The jobs of all targets come by one watch: they are not listed again and again.
    asked = [url.partition("/scenarios/run")[2] for url in opened.tab.requests]
    assert [url for url in asked if url.startswith("?")] == []
