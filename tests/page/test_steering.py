"""From nothing to a run, its log and its rerun, and to a halt: all of it by the page alone."""

import re

from playwright.async_api import FilePayload, Route, expect

from tests.page.opened import Opened
from tests.support.requests import IMAGE, canary, unused_name
from tests.support.rest import Rest

REASON = "Incident 42"


def file_of(text: str) -> FilePayload:
    """A kubeconfig file, as a user chooses it."""
    return {"name": "config", "mimeType": "text/yaml", "buffer": text.encode()}


async def register(opened: Opened, name: str, kubeconfig: str, labels: str = "") -> None:
    """Register a cluster from a kubeconfig file, and wait until the dialog is closed."""
    await opened.page.get_by_role("button", name="Register…").first.click()
    dialog = opened.page.get_by_role("dialog")
    await dialog.locator("input[type=file]").set_input_files(file_of(kubeconfig))
    await expect(dialog.locator("#context")).not_to_have_value("")
    await dialog.locator("#cluster-name").fill(name)
    await dialog.locator("#cluster-labels").fill(labels)
    await dialog.get_by_role("button", name="Register").click()
    await expect(dialog).to_have_count(0)


async def ask_for(opened: Opened, scenario: str, image: str, clusters: str) -> None:
    """Fill in the form of a new run of a scenario that is not in the catalogue."""
    page = opened.page
    await opened.go("/new")
    await page.get_by_role("button", name="Another image").click()
    await page.locator("#scenarioName").fill(scenario)
    await page.locator("#scenarioImage").fill(image)
    await page.locator("#target-name").fill(clusters)
    await page.get_by_role("button", name=re.compile("^Select all")).click()


async def run_on(opened: Opened, clusters: str) -> str:
    """Answer the question of a dialog with yes; return the run that it leads to."""
    page = opened.page
    before = re.escape(page.url.partition("?")[0])
    await page.get_by_role("dialog").get_by_role("button", name=f"Run on {clusters}").click()
    await expect(page).to_have_url(re.compile(f"^(?!{before})[^?]*#/runs/[0-9a-f-]{{36}}"))
    return page.url.rpartition("/")[2]


async def test_the_whole_way(opened: Opened, demo_clusters: list[str]) -> None:
    page, prefix, scenario = opened.page, unused_name(), unused_name()
    await opened.go(f"/targets?name={prefix}")
    for number, kubeconfig in enumerate(demo_clusters, 1):
        await register(opened, f"{prefix}-{number}", kubeconfig, "env=test")
        await expect(opened.row(f"{prefix}-{number}")).to_contain_text("Ready")
    bad = f"{prefix}-2"
    await page.get_by_role("button", name=bad, exact=True).click()
    await expect(page).to_have_url(re.compile("target="))
    uuid = page.url.rpartition("target=")[2]

    await ask_for(opened, scenario, f"{IMAGE}-exit-3-on-{uuid}", f"{prefix}-*")
    await expect(page.get_by_text("3 selected", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Check").click()
    await expect(page.get_by_text("3 clusters would run")).to_be_visible()
    await page.get_by_role("button", name="Run…").click()
    await run_on(opened, "3 clusters")
    jobs_by_state = page.get_by_role("list", name="Jobs by state")
    await expect(jobs_by_state).to_contain_text("1 failed")
    await expect(jobs_by_state).to_contain_text("2 succeeded")
    first = page.get_by_role("table", name="Jobs").get_by_role("row").nth(1)
    await expect(first).to_contain_text(bad)
    await expect(first).to_contain_text("HealthCheckFailed")

    await first.get_by_role("link", name=f"Log of {bad}").click()
    await expect(page.get_by_role("log")).to_contain_text("the scenario ended with exit code 3")

    await page.get_by_role("button", name="Rerun failed").click()
    await run_on(opened, "1 cluster")
    await expect(jobs_by_state).to_have_text(re.compile(r"^1 failed\s*of 1 target$"))

    await page.get_by_role("button", name="Rerun with changes").click()
    await page.locator("#scenarioImage").fill(f"{IMAGE}-never-ends")
    await page.get_by_role("button", name="Run…").click()
    await run_on(opened, "1 cluster")
    await expect(opened.row(bad)).to_contain_text("Running")

    await page.get_by_role("button", name="Halt", exact=True).click()
    await page.locator("#halt-reason").fill(REASON)
    await page.get_by_role("button", name="Halt all clusters").click()
    banner = page.get_by_role("status", name="Halts")
    try:
        await expect(banner).to_contain_text(REASON)
        await expect(opened.row(bad)).to_contain_text("Halted")
        await page.get_by_role("button", name="Rerun all").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Run on 1 cluster").click()
        await expect(dialog).to_contain_text(REASON)
        opened.tab.errors[:] = [each for each in opened.tab.errors if "400" not in each]
        await dialog.get_by_role("button", name="Cancel").click()
    finally:
        await banner.get_by_role("button", name="Resume").click()
        await page.get_by_role("button", name="Resume", exact=True).click()
    await expect(banner).not_to_contain_text(REASON)

    await page.get_by_role("button", name="Rerun all").click()
    await run_on(opened, "1 cluster")
    await expect(opened.row(bad)).to_contain_text("Running")
    await page.get_by_role("button", name="Stop run").click()
    await page.get_by_role("button", name="Stop 1 job").click()
    await expect(opened.row(bad)).to_contain_text("Stopped")


async def test_a_halt_and_its_end_by_keyboard_alone(opened: Opened) -> None:
    page = opened.page
    halt = page.get_by_role("button", name="Halt", exact=True)
    for _ in range(30):
        await page.keyboard.press("Tab")
        if await halt.evaluate("button => button === document.activeElement"):
            break
    await page.keyboard.press("Enter")
    await expect(page.locator("#halt-reason")).to_be_focused()
    await page.keyboard.type(REASON)
    await page.keyboard.press("Enter")
    banner = page.get_by_role("status", name="Halts")
    try:
        await expect(banner).to_contain_text("All chaos is halted")
        await expect(banner).to_contain_text(REASON)
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(halt).to_be_focused()
    finally:
        await banner.get_by_role("button").press("Enter")
        confirm = page.get_by_role("button", name="Resume", exact=True)
        await confirm.press("Enter")
    await expect(banner).not_to_contain_text(REASON)


async def test_what_is_sent_twice_starts_once(opened: Opened, rest: Rest) -> None:
    page, name, scenario = opened.page, unused_name(), unused_name()
    await rest.register(clusterName=name)
    await ask_for(opened, scenario, IMAGE, name)
    cuts = 0

    async def cut_once(route: Route) -> None:
        nonlocal cuts
        if route.request.method != "POST" or cuts:
            await route.continue_()
            return
        cuts += 1
        # The service has answered, and the answer is lost on its way.
        await route.fetch()
        await route.abort()

    await page.route("**/api/v1/scenarios/run", cut_once)
    await page.get_by_role("button", name="Run…").click()
    await page.get_by_role("button", name="Run on 1 cluster").click()
    await expect(page.get_by_text("the service does not answer").first).to_be_visible()
    await page.get_by_role("button", name="Run…").click()
    await page.get_by_role("button", name="Run on 1 cluster").click()
    await expect(page).to_have_url(re.compile("#/runs/[0-9a-f-]{36}"))
    reply = await rest.get(f"/api/v1/runs?scenarioName={scenario}")
    assert [run["runId"] for run in reply.body["runs"]] == [page.url.rpartition("/")[2]]
    # The browser itself says that the first answer did not come.
    opened.tab.errors[:] = [each for each in opened.tab.errors if "ERR_FAILED" not in each]


async def test_what_the_service_refuses_stands_at_its_field(opened: Opened, rest: Rest) -> None:
    page, name = opened.page, unused_name()
    await rest.register(clusterName=name)
    await ask_for(opened, unused_name(), IMAGE, name)
    await page.locator("#timeoutSeconds").fill("999999")
    await page.get_by_role("button", name="Check").click()
    await expect(page.locator("#timeoutSeconds")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#timeoutSeconds-hint")).to_contain_text("86400")
    await page.locator("#timeoutSeconds").fill("60")
    await expect(page.locator("#timeoutSeconds")).to_have_attribute("aria-invalid", "false")
    opened.tab.errors[:] = [each for each in opened.tab.errors if "400" not in each]


async def test_a_run_is_asked_for_again_with_changes(opened: Opened, rest: Rest) -> None:
    page, name = opened.page, unused_name()
    target = await rest.register(clusterName=name)
    run = await rest.run_of(
        target,
        scenarioName="node-cpu-hog",
        environment={"NODE_CPU_PERCENTAGE": "70", "EXTRA": "1"},
        secretEnvironment={"HUSH": canary()},
        timeoutSeconds=77,
    )
    await rest.run_when(run)
    await opened.go(f"/runs/{run}")
    await page.get_by_role("button", name="Rerun with changes").click()
    await expect(page.locator("#parameter-NODE_CPU_PERCENTAGE")).to_have_value("70")
    await expect(page.locator("#timeoutSeconds")).to_have_value("77")
    await expect(page.get_by_role("textbox", name="Value of EXTRA")).to_have_value("1")
    await expect(page.get_by_text("fill in HUSH")).to_be_visible()
    secret = canary()
    await page.get_by_label("Value of HUSH").fill(secret)
    await page.get_by_role("button", name="Check").click()
    await expect(page.get_by_text("1 cluster would run")).to_be_visible()
    assert secret not in await page.locator("body").inner_text()
