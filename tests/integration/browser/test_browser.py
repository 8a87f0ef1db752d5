"""The browser of the tests: it reaches this machine alone, and sees what is wrong with a page."""

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.support import browser as browsers
from tests.support.browser import Browser, Tab, axe
from tests.support.waiting import eventually

PAGE = """<!doctype html><html lang="en"><title>A page</title>
<main><h1>A page</h1><button>Once</button></main>
<script>
document.querySelector("button").onclick = event => { event.target.textContent = "Twice"; };
</script>
"""
ELSEWHERE = {
    "image": "<img alt='' src='http://elsewhere.example/x.png'>",
    "style": "<link rel=stylesheet href='https://elsewhere.example/x.css'>",
    "fetch": "<script>fetch('http://localhost:1/x').catch(() => {})</script>",
    "socket": "<script>new WebSocket('wss://elsewhere.example/x')</script>",
    "beacon": "<script>navigator.sendBeacon('https://elsewhere.example/x', 'x')</script>",
}


@contextlib.asynccontextmanager
async def served(content: str) -> AsyncIterator[str]:
    """Serve a page; yield its URL."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=content, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, browsers.HOST, 0)
    await site.start()
    try:
        yield f"http://{browsers.HOST}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_a_page_runs(tab: Tab) -> None:
    async with served(PAGE) as url:
        await tab.page.goto(url)
        await tab.page.get_by_role("button", name="Once").click()
        await tab.page.get_by_role("button", name="Twice").wait_for()
        assert await axe(tab.page) == []
        assert tab.requests[0] == url
        assert tab.errors == []


@pytest.mark.parametrize("what", ELSEWHERE)
async def test_a_request_to_another_host_fails_the_test(browser: Browser, what: str) -> None:
    async with served(PAGE + ELSEWHERE[what]) as url:
        with pytest.raises(AssertionError, match="asked other hosts"):
            await visit(browser, url)


async def visit(browser: Browser, url: str) -> None:
    async with browser.tab() as tab:

        async def refused() -> list[str]:
            return tab.refused

        await tab.page.goto(url)
        await eventually(refused)


async def test_what_is_wrong_with_a_page_is_seen(tab: Tab) -> None:
    wrong = PAGE.replace("<button>", "<p style='color:#eee'>Pale<img src='data:,'><button>")
    async with served(f"{wrong}<script>throw new Error('thrown')</script>") as url:
        await tab.page.goto(url)
        found = {line.partition(" ")[0] for line in await axe(tab.page)}
        assert {"image-alt", "color-contrast"} <= found
        assert ["thrown" in error for error in tab.errors] == [True]


async def test_the_users_preferences_reach_the_page(browser: Browser) -> None:
    async with served(PAGE) as url, browser.tab(width=390, scheme="dark") as tab:
        await tab.page.goto(url)
        assert await tab.page.evaluate("innerWidth") == 390
        assert await tab.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")


async def test_a_screenshot_is_made_where_one_is_wanted(
    tab: Tab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(PAGE) as url:
        await tab.page.goto(url)
        monkeypatch.setattr(browsers, "SCREENSHOTS", str(tmp_path))
        await tab.screenshot("page")
    assert os.listdir(tmp_path) == ["page.png"]
