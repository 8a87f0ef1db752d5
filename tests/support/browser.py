"""A real browser, and tabs in it that reach nothing but this machine.

async with browser.tab(width=390, scheme="dark") as tab:
    await tab.page.goto(url)
    await tab.screenshot("report-dark")
    assert await axe(tab.page) == []

A tab has a new profile. It fails its test if the page asked another host than 127.0.0.1 for
anything; the request itself goes nowhere.
"""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser as Chromium
from playwright.async_api import (
    ConsoleMessage,
    Error,
    Page,
    Route,
    WebSocketRoute,
    async_playwright,
    expect,
)

from deploy.local.browser import browser_program
from deploy.local.progress import Progress
from tests.support.waiting import SECONDS

HOST = "127.0.0.1"
_PATIENCE_MS = SECONDS * 1_000
expect.set_options(timeout=_PATIENCE_MS)
SCREENSHOTS = os.environ.get("KRKN_SCREENSHOTS")
"""The folder that screenshots are written to; without it none is made."""

_ARGUMENTS = (
    "--no-sandbox",  # its sandbox does not run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    # What is not seen as a request of a page, its own look-ups say, finds no host either.
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}",
)
_MOTION_ENDS = """() => Promise.allSettled(document.getAnimations()
  .filter(each => each.effect.getComputedTiming().endTime !== Infinity)
  .map(each => each.finished)).then(() => undefined)"""
_LOCAL = ("about", "blob", "data", "file")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Tab:
    """One page, and what it has done."""

    page: Page
    requests: list[str] = field(default_factory=list)
    """The URLs that it asked for, in order."""
    refused: list[str] = field(default_factory=list)
    """Those of them that lead to another host."""
    errors: list[str] = field(default_factory=list)
    """What it wrote to the console as an error, and exceptions that nothing caught.

    The browser writes what a Content-Security-Policy stopped."""

    async def screenshot(self, name: str) -> None:
        """Write NAME.png, with the whole page, into the folder SCREENSHOTS, if there is one."""
        if SCREENSHOTS:
            await self.page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)


class Browser:
    """Chromium without a window."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium

    @contextlib.asynccontextmanager
    async def tab(
        self,
        *,
        width: int = 1280,
        height: int = 800,
        scheme: Literal["light", "dark"] = "light",
        scripts: bool = True,
    ) -> AsyncIterator[Tab]:
        """Open a tab of `width` x `height` CSS pixels for a user who prefers `scheme`."""
        context = await self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=scripts,
            service_workers="block",  # their requests would be none of the page's
        )
        context.set_default_timeout(_PATIENCE_MS)
        try:
            tab = Tab(await context.new_page())

            async def decide(route: Route) -> None:
                tab.requests.append(route.request.url)
                if _is_local(route.request.url):
                    await route.continue_()
                else:
                    tab.refused.append(route.request.url)
                    await route.abort()

            async def decide_socket(socket: WebSocketRoute) -> None:
                tab.requests.append(socket.url)
                if _is_local(socket.url):
                    socket.connect_to_server()
                else:
                    tab.refused.append(socket.url)
                    await socket.close()

            def note_console(message: ConsoleMessage) -> None:
                if message.type == "error":
                    tab.errors.append(message.text)

            def note_exception(error: Error) -> None:
                tab.errors.append(str(error))

            await context.route("**/*", decide)
            await context.route_web_socket("**/*", decide_socket)
            context.on("console", note_console)
            tab.page.on("pageerror", note_exception)
            yield tab
            assert tab.refused == [], "the page asked other hosts"
        finally:
            await context.close()


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Start the browser; it ends at the end."""
    program = browser_program(Progress())
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=program, args=list(_ARGUMENTS), chromium_sandbox=False
        )
        try:
            yield Browser(chromium)
        finally:
            await chromium.close()


async def axe(page: Page) -> list[str]:
    """Return what is wrong with a page by axe's rules for WCAG 2.2 AA and good practice.

    A line has the rule, its impact, and the elements. What is on its way to another colour is
    waited for.
    """
    await page.evaluate(_MOTION_ENDS)
    options = {"runOnly": {"type": "tag", "values": _RULES}, "resultTypes": ["violations"]}
    results = await Axe().run(page, options=options)
    return [
        f"{each['id']} ({each['impact']}): {[node['target'] for node in each['nodes']]}"
        for each in results.response["violations"]
    ]


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in _LOCAL or parts.hostname == HOST
