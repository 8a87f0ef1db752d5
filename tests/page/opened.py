"""The page in a tab, and what tests look for in it."""

from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.support.browser import Tab
from tests.support.running import Running


@dataclass(frozen=True)
class Opened:
    """The page of a service."""

    tab: Tab
    services: Running

    @property
    def page(self) -> Page:
        """The browser's own view of it."""
        return self.tab.page

    async def start(self) -> None:
        """Open it as a user does, with its key if there is one."""
        await self.page.goto(self.services.page_url)
        await expect(self.heading("Runs")).to_be_visible()

    async def go(self, screen: str) -> None:
        """Go to a screen by its address, such as `/runs/ID`."""
        await self.page.goto(f"{self.services.processes.rest_url}/#{screen}")

    def heading(self, title: str) -> Locator:
        """The heading that has this title, and no more."""
        return self.page.get_by_role("heading", name=title, exact=True)

    def row(self, text: str) -> Locator:
        """The row of a table that has this text in it."""
        return self.page.get_by_role("row").filter(has_text=text)
