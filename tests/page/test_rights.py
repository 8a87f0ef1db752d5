"""The page before a service that asks who calls: a token, and what its owner may do."""

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.accounts import make_account
from tests.support.browser import Tab, axe
from tests.support.callers import Way
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import Rest
from tests.support.running import Running, Wanted, make_namespace, remove_namespace, running
from tests.support.waiting import eventually

AUDIENCE = "krkn-grpc"
ROLES = {"viewer": ("krkn-viewer",), "runner": ("krkn-runner", "krkn-target-admin")}


@dataclass(frozen=True)
class Guarded:
    """A service with authentication, the tokens of its callers, and a run that never ends."""

    services: Running
    tokens: dict[str, str]
    cluster: str
    run: str


@pytest_asyncio.fixture(scope="module")
async def guarded(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Guarded]:
    """The service, with its page."""
    namespace, cluster = f"page-{uuid.uuid4().hex[:8]}", control_plane.cluster
    settings = {"KRKN_AUTH": "kubernetes"}
    wanted = Wanted(page=True, environment=settings)
    await make_namespace(cluster, namespace)
    try:
        tokens = {}
        for account, roles in ROLES.items():
            await make_account(cluster, namespace, account, *roles)
            tokens[account] = await cluster.token(
                namespace, account, seconds=3600, audiences=[AUDIENCE]
            )
        folder = tmp_path_factory.mktemp("page-guarded")
        async with running(cluster, namespace, folder, wanted) as services:
            port = int(services.processes.rest_url.rpartition(":")[2])
            async with Way(port, token=tokens["runner"]).rest() as session:
                rest, name = Rest(session), unused_name()
                await until_allowed(rest, "run", "krknoperatortargets")
                target = await rest.register(clusterName=name)
                run = await rest.run_of(target, scenarioImage=f"{IMAGE}-never-ends")
            yield Guarded(services, tokens, name, run)
    finally:
        await remove_namespace(cluster, namespace)


async def until_allowed(rest: Rest, verb: str, resource: str) -> None:
    """Wait until the service knows that the caller may; it learns of a new role late."""

    async def allowed() -> Any:
        return json.loads((await rest.get("/api/v1/access")).text).get("allowed", [])

    wanted = {"verb": verb, "resource": resource}
    await eventually(allowed, lambda permissions: wanted in permissions)


@pytest.fixture
def page(tab: Tab) -> Page:
    """A page in a tab of its own."""
    return tab.page


async def sign_in(page: Page, guarded: Guarded, account: str, screen: str = "/runs") -> None:
    """Open a screen with the token of this account."""
    await page.goto(f"{guarded.services.processes.rest_url}/#{screen}")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.get_by_label("Token").fill(guarded.tokens[account])
    await page.get_by_role("button", name="Sign in").click()
    user = f"system:serviceaccount:{guarded.services.namespace}:{account}"
    await expect(page.get_by_text(user).first).to_be_visible()


async def is_refused(page: Page, button: str, right: str) -> None:
    """Assert that a button is disabled, that the keyboard reaches it, and that it says why."""
    found = page.get_by_role("button", name=button).first
    await expect(found).to_be_disabled()
    await found.focus()
    reason = f"You may not: the right to {right} is missing."
    await expect(page.get_by_role("tooltip").filter(has_text=reason)).to_be_visible()
    await expect(found).to_have_accessible_description(reason)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await found.blur()
    await expect(page.get_by_role("tooltip")).to_have_count(0)


async def test_a_viewer_sees_all_and_may_change_nothing(guarded: Guarded, page: Page) -> None:
    await sign_in(page, guarded, "viewer")
    await is_refused(page, "New run", "create krknchaosjobs")
    await is_refused(page, "Halt", "create krknchaoshalts")

    await page.get_by_role("link", name="pod-scenarios").click()
    row = page.get_by_role("row").filter(has_text=guarded.cluster)
    await expect(row).to_contain_text("Running")
    await is_refused(page, "Stop run", "update krknchaosruns")
    await is_refused(page, f"Stop {guarded.cluster}", "update krknchaosjobs")
    await is_refused(page, "Rerun with changes", "create krknchaosjobs")

    await page.get_by_role("link", name="Targets").click()
    await is_refused(page, "Register…", "create krknoperatortargets")
    await page.get_by_role("button", name=guarded.cluster).click()
    dialog = page.get_by_role("dialog")
    for button in ("Check now", "Edit…", "Delete…"):
        await expect(dialog.get_by_role("button", name=button)).to_be_disabled()
    await dialog.get_by_role("button", name="Close").first.click()

    await page.get_by_role("link", name="New run").click()
    for button in ("Check", "Run…"):
        await expect(page.get_by_role("button", name=button)).to_be_disabled()


async def test_a_runner_may_stop_what_runs(guarded: Guarded, page: Page) -> None:
    await sign_in(page, guarded, "runner", f"/runs/{guarded.run}")
    await expect(page.get_by_role("button", name="Stop run")).to_be_enabled()
    await page.get_by_role("button", name=f"Stop {guarded.cluster}").click()
    await expect(page.get_by_role("button", name="Stop 1 job")).to_be_enabled()


KEPT = """async () => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, window.location.href, history.state,
  (await indexedDB.databases()).length, (await caches?.keys?.().catch(() => [])) ?? []
])"""


async def test_a_token_is_in_memory_alone(guarded: Guarded, page: Page, tab: Tab) -> None:
    await sign_in(page, guarded, "viewer")
    await expect(page.get_by_role("link", name="pod-scenarios")).to_be_visible()
    kept: str = await page.evaluate(KEPT)
    assert guarded.tokens["viewer"] not in kept
    assert json.loads(kept)[2] == ""
    assert await page.context.cookies() == []
    assert not [url for url in tab.requests if guarded.tokens["viewer"] in url]

    await page.reload()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(page.get_by_label("Token")).to_have_value("")
    assert await axe(page) == []


async def test_a_wrong_token_and_the_way_out(guarded: Guarded, page: Page, tab: Tab) -> None:
    await page.goto(guarded.services.processes.rest_url)
    await page.get_by_label("Token").fill("not-a-token")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("The token is not accepted")).to_be_visible()
    await tab.screenshot("sign-in")
    await page.get_by_label("Token").fill(guarded.tokens["viewer"])
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(page.get_by_role("link", name="pod-scenarios")).to_have_count(0)
