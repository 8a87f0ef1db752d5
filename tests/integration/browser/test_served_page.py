"""The page and the reference of the API in a browser, as Envoy serves them."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.integration.browser.test_browser import served
from tests.support.browser import Browser, Tab, axe
from tests.support.requests import token_target
from tests.support.rest import TARGETS
from tests.support.running import Running

DOCS = "/api/v1/docs"
MOST_BYTES = 600_000
WRITE = """async ([url, headers, mode]) => {
  try {
    const reply = await fetch(url, {method: "POST", mode, headers, body: '{"reason": "a test"}'});
    return reply.status;
  } catch (error) {
    return String(error);
  }
}"""
READ = """async (url) => {
  try {
    return (await fetch(url)).status;
  } catch (error) {
    return String(error);
  }
}"""
JSON = {"content-type": "application/json"}


def key_of(page_services: Running) -> str:
    return page_services.page_url.partition("#token=")[2]


async def halts(page_services: Running) -> list[Any]:
    async with page_services.rest.get("/api/v1/halts") as reply:
        found: list[Any] = (await reply.json())["halts"]
    return found


async def test_the_page_opens_with_what_it_may_load(tab: Tab, page_services: Running) -> None:
    await tab.page.goto(page_services.page_url)
    await tab.page.get_by_role("heading").first.wait_for()
    # What its Content-Security-Policy forbids would be an error.
    assert tab.errors == []
    assert {urlsplit(url).netloc for url in tab.requests} == {
        urlsplit(page_services.page_url).netloc
    }
    assert key_of(page_services) not in tab.page.url
    assert await tab.page.context.cookies() == []
    assert not [url for url in tab.requests if key_of(page_services) in url]


async def test_the_first_load_is_small(tab: Tab, page_services: Running) -> None:
    await tab.page.goto(page_services.page_url)
    await tab.page.get_by_role("heading").first.wait_for()
    await tab.page.evaluate("document.fonts.ready")
    total = 0
    for path in {urlsplit(url).path for url in tab.requests}:
        if path.startswith("/api/"):
            continue
        async with page_services.rest.get(path, headers={"accept-encoding": "gzip"}) as reply:
            assert reply.status == 200
            total += int(reply.headers["content-length"])
    assert 10_000 < total <= MOST_BYTES


async def test_our_own_page_writes_with_its_key_alone(tab: Tab, page_services: Running) -> None:
    await tab.page.goto(page_services.page_url)
    url = f"{page_services.processes.rest_url}/api/v1/halts"
    for headers in ({}, {"authorization": "Bearer wrong"}):
        assert await tab.page.evaluate(WRITE, [url, JSON | headers, "cors"]) == 401
    assert await halts(page_services) == []
    shown = {"authorization": f"Bearer {key_of(page_services)}"}
    assert await tab.page.evaluate(WRITE, [url, JSON | shown, "cors"]) == 201
    [made] = await halts(page_services)
    async with page_services.rest.delete(f"/api/v1/halts/{made['name']}") as reply:
        assert reply.status == 200


@pytest.mark.parametrize("mode", ["cors", "no-cors"])
async def test_another_page_writes_and_reads_nothing(
    tab: Tab, page_services: Running, mode: str
) -> None:
    """One of this machine, on another port: a browser counts it as the same site."""
    async with served("<!doctype html><title>Another page</title>") as url:
        await tab.page.goto(url)
        service = page_services.processes.rest_url
        for headers in (JSON, JSON | {"authorization": f"Bearer {key_of(page_services)}"}):
            written = await tab.page.evaluate(WRITE, [f"{service}/api/v1/halts", headers, mode])
            assert written not in {200, 201}
        assert "TypeError" in await tab.page.evaluate(READ, f"{service}/api/v1/runs")
        assert await halts(page_services) == []


@pytest_asyncio.fixture
async def docs(tab: Tab, page_services: Running) -> Page:
    """The reference, opened with the key."""
    await tab.page.goto(f"{page_services.processes.rest_url}{DOCS}#token={key_of(page_services)}")
    await tab.page.locator("details.call").first.wait_for()
    return tab.page


async def test_a_call_is_a_link_and_a_link_a_call(docs: Page) -> None:
    await docs.locator("#HaltService_ListHalts > summary").click()
    await expect(docs).to_have_url(re.compile("#HaltService_ListHalts$"))
    await docs.evaluate("location.hash = 'TargetService_GetTarget'")
    await expect(docs.locator("#TargetService_GetTarget .inside")).to_be_visible()


async def test_calls_are_found_by_words(docs: Page) -> None:
    await docs.get_by_label("Search").fill("delete halt")
    await expect(docs.locator("details.call:visible")).to_have_count(1)
    await docs.get_by_label("Search").fill("")
    await expect(docs.locator("details.call:visible").nth(25)).to_be_visible()


async def test_json_is_shown_from_its_beginning(docs: Page, page_services: Running) -> None:
    call = docs.locator("#ScenarioService_ListScenarios")
    await call.locator("> summary").click()
    await call.get_by_role("button", name="Send").click()
    await expect(call.locator("[role=status]")).to_contain_text("200")
    reply = call.locator("pre").last
    await expect(reply).to_contain_text("scenarios")
    tall = "e => e.scrollHeight > e.clientHeight && e.scrollTop === 0"
    assert await reply.evaluate(tall)


async def test_a_watch_goes_on_until_it_is_hung_up(docs: Page) -> None:
    call = docs.locator("#TargetService_WatchTargets")
    await call.locator("> summary").click()
    hang_up = call.get_by_role("button", name="Hang up")
    await expect(hang_up).to_be_hidden()
    await call.get_by_role("button", name="Send").click()
    await expect(call.locator("pre").last).to_contain_text("SYNCED")
    await hang_up.click()
    await expect(hang_up).to_be_hidden()
    await expect(call.get_by_role("button", name="Send")).to_be_enabled()


async def test_what_is_missing_is_said_and_nothing_is_sent(docs: Page, tab: Tab) -> None:
    call = docs.locator("#TargetService_GetTarget")
    await call.locator("> summary").click()
    await call.get_by_role("button", name="Send").click()
    await expect(call.get_by_role("alert")).to_have_text("Missing: uuid")
    assert not [url for url in tab.requests if "/operator/targets" in url]


async def test_a_write_is_confirmed(docs: Page, page_services: Running) -> None:
    call = docs.locator("#HaltService_CreateHalt")
    await call.locator("> summary").click()
    await call.get_by_label("Body").fill('{"reason": "a test"}')
    for answer in ("Cancel", "Send"):
        assert await halts(page_services) == []
        await call.get_by_role("button", name="Send").click()
        await docs.get_by_role("dialog").get_by_role("button", name=answer).click()
    await expect(call.locator("[role=status]")).to_contain_text("201")
    [made] = await halts(page_services)
    async with page_services.rest.delete(f"/api/v1/halts/{made['name']}") as reply:
        assert reply.status == 200


async def test_targets_are_chosen_from_a_list(docs: Page, page_services: Running) -> None:
    body = token_target()
    async with page_services.rest.post(TARGETS, json=body) as reply:
        uuid = (await reply.json())["uuid"]
    run = docs.locator("#ScenarioRunService_RunScenario")
    await run.locator("> summary").click()
    await run.get_by_text("Choose targets").click()
    await run.get_by_label("Targets").select_option(uuid)
    assert uuid in await run.get_by_label("Body").input_value()
    one = docs.locator("#TargetService_DeleteTarget")
    await one.locator("> summary").click()
    await one.get_by_label("uuid").focus()
    await expect(one.locator(f"option[value='{uuid}']")).to_have_count(1)


async def test_every_field_has_an_example(docs: Page) -> None:
    run = docs.locator("#ScenarioRunService_RunScenario")
    await run.locator("> summary").click()
    await run.get_by_role("button", name="Every field").click()
    body = await run.get_by_label("Body").input_value()
    assert {"maxParallel", "abortOn", "mountPath"} <= set(re.findall(r'"(\w+)":', body))
    assert "skipTls" not in body


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("curl", "curl -sN -X DELETE "),
        ("grpcurl", "krkn.v1.TargetService/DeleteTarget"),
        ("krkn-grpc", "krkn-grpc targets delete 'abc'"),
        ("Python", 'krkn.targets.delete("abc")'),
    ],
)
async def test_a_call_is_shown_for_other_programs(
    docs: Page, page_services: Running, program: str, said: str
) -> None:
    call = docs.locator("#TargetService_DeleteTarget")
    await call.locator("> summary").click()
    await call.get_by_label("uuid").fill("abc")
    await call.get_by_label("Program").select_option(program)
    shown = call.locator(".command pre")
    await expect(shown).to_contain_text(said)
    assert key_of(page_services) not in await shown.inner_text()
    await docs.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await call.get_by_role("button", name="Copy").click()
    await expect(call.get_by_role("button", name="Copied")).to_be_visible()
    assert await docs.evaluate("navigator.clipboard.readText()") == await shown.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_the_reference_can_be_read(
    browser: Browser, page_services: Running, scheme: Any, width: int
) -> None:
    async with browser.tab(width=width, scheme=scheme) as tab:
        await tab.page.goto(
            f"{page_services.processes.rest_url}{DOCS}#ScenarioRunService_RunScenario"
        )
        call = tab.page.locator("#ScenarioRunService_RunScenario")
        await call.get_by_text("Fields").first.click()
        await tab.screenshot(f"reference-{width}-{scheme}")
        assert await tab.page.evaluate("document.documentElement.scrollWidth") <= width
        assert await axe(tab.page) == []
        assert tab.errors == []
        verbs = ["GET", "POST", "PUT", "DELETE"]
        colours = {
            await tab.page.locator(f".verb.{verb}").first.evaluate("e => getComputedStyle(e).color")
            for verb in verbs
        }
        assert len(colours) == len(verbs)
