"""A run: its jobs as they change, one of them, its logs, and what may be done with it."""

import re

from playwright.async_api import expect

from krkn_grpc.resources.names import pod_for
from tests.page.opened import Opened
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import Rest
from tests.support.waiting import eventually


async def test_jobs_are_live_and_those_that_failed_are_first(opened: Opened, rest: Rest) -> None:
    names = [f"a-{unused_name()}", f"b-{unused_name()}"]
    targets = [await rest.register(clusterName=name) for name in names]
    run = await rest.run_of(*targets, scenarioImage=f"{IMAGE}-never-ends")
    await opened.go(f"/runs/{run}")
    rows = opened.page.get_by_role("table", name="Jobs").get_by_role("row")
    await expect(rows.nth(1)).to_contain_text(names[0])
    await expect(rows.nth(2)).to_contain_text("Running")

    await opened.page.get_by_role("button", name=f"Stop {names[1]}").click()
    await expect(opened.page.get_by_role("dialog")).to_contain_text(names[1])
    await opened.page.get_by_role("button", name="Stop 1 job").click()
    await expect(opened.row(names[1])).to_contain_text("Stopped")
    await expect(opened.row(names[0])).to_contain_text("Running")

    await opened.page.get_by_role("button", name="Stop run").click()
    await opened.page.get_by_role("button", name="Stop 1 job").click()
    await expect(opened.row(names[0])).to_contain_text("Stopped")
    await expect(opened.page.get_by_role("button", name="Stop run")).to_have_count(0)


async def test_a_job_opens_beside_the_list(opened: Opened, rest: Rest) -> None:
    name = unused_name()
    target = await rest.register(clusterName=name)
    run = await rest.run_of(target, scenarioImage=f"{IMAGE}-exit-3", environment={"WAIT": "7"})
    await rest.run_when(run)
    await opened.go(f"/runs/{run}")
    await opened.page.get_by_role("link", name=name, exact=True).click()
    job = opened.page.get_by_role("complementary", name=f"Job on {name}")
    await expect(job).to_contain_text("HealthCheckFailed")
    await expect(job).to_contain_text("WAIT=7")
    await expect(job).to_contain_text("failed: https://shop.example/health")
    await expect(job).to_contain_text("krkn-grpc jobs get")
    await opened.tab.screenshot("job")
    await expect(job).to_be_focused()
    await opened.page.keyboard.press("Escape")
    await expect(job).to_have_count(0)


async def test_what_failed_runs_again(opened: Opened, rest: Rest) -> None:
    good, bad = await rest.register(), "no-such-target"
    run = await rest.run_of(good, bad)
    await rest.run_when(run)
    await opened.go(f"/runs/{run}")
    await expect(opened.page.get_by_text("1 target got no job")).to_be_visible()

    await opened.page.get_by_role("button", name="Rerun failed").click()
    await opened.page.get_by_role("button", name="Run on 1 cluster", exact=True).click()
    dialog = opened.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("no target could start: there is no such target")
    [refusal] = opened.tab.errors  # the browser notes the status of such a reply, 500
    opened.tab.errors.remove(refusal)
    await dialog.get_by_role("button", name="Cancel").click()

    await opened.page.get_by_role("button", name="Rerun all").click()
    await opened.page.get_by_role("button", name="Run on 2 clusters").click()
    await expect(opened.page).not_to_have_url(re.compile(run))
    await expect(opened.page.get_by_text("1 target got no job")).to_be_visible()


async def test_logs_side_by_side(opened: Opened, rest: Rest) -> None:
    names = [unused_name(), unused_name()]
    targets = [await rest.register(clusterName=name) for name in names]
    run = await rest.run_of(*targets, scenarioImage=f"{IMAGE}-never-ends-logs-6000-lines")
    await opened.go(f"/runs/{run}/logs")
    await opened.page.get_by_role("button", name="All jobs").click()
    for name in names:
        box = opened.page.get_by_role("menuitem", name=name).get_by_role("checkbox")
        await box.click()  # it shows what the address says, a moment later
        await expect(box).to_be_checked()
    await opened.page.keyboard.press("Escape")

    first = opened.page.get_by_role("region", name=f"Log of {names[0]}")
    second = opened.page.get_by_role("region", name=f"Log of {names[1]}")
    for log in (first, second):
        await expect(log).to_contain_text("the scenario runs for")
        await expect(log).to_contain_text("earlier lines are not shown")

    await opened.page.get_by_role("searchbox", name="Find in the logs").fill("runs for 2 s")
    await expect(first).to_contain_text("1 of 1")
    await first.get_by_role("button", name="Next").click()
    await expect(first.locator("mark")).to_have_text("runs for 2 s")
    await expect(first.get_by_role("button", name="To the end")).to_be_visible()

    async with opened.page.expect_download() as download:
        await second.get_by_role("button", name="Download the whole log").click()
    text = (await (await download.value).path()).read_text()
    assert text.count("\n") > 6000
    await rest.delete(f"/api/v1/runs/{run}")
    await expect(second).to_contain_text("ended")


async def test_a_log_that_was_kept_says_so(opened: Opened, rest: Rest) -> None:
    name = unused_name()
    target = await rest.register(clusterName=name)
    run = await rest.run_of(target, scenarioImage=f"{IMAGE}-lasts-0s")
    [job] = (await rest.run_when(run))["targets"]
    services = opened.services
    pod = f"/api/v1/namespaces/{services.namespace}/pods/{pod_for(job['jobId'])}"
    await services.cluster.request("DELETE", pod)
    path = f"/api/v1/scenarios/run/{job['jobId']}/logs"
    await eventually(lambda: rest.get(path), lambda reply: "krkn-log" in reply.headers)

    await opened.go(f"/runs/{run}/logs?job={job['jobId']}")
    log = opened.page.get_by_role("region", name=f"Log of {name}")
    await expect(log).to_contain_text("The pod is gone; this is the log that was kept")


async def test_names_and_messages_are_text(opened: Opened, rest: Rest) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    target = await rest.register()
    run = await rest.run_of(target, hostile, scenarioName=hostile, environment={"A": hostile})
    await rest.run_when(run)
    await opened.go("/runs")
    await expect(opened.row(hostile).first).to_be_visible()
    await opened.go(f"/runs/{run}")
    await expect(opened.page.get_by_role("heading", level=1)).to_contain_text(hostile)
    await opened.page.get_by_role("button", name="Warning alert details").click()
    await expect(opened.page.get_by_text(f"{hostile}: there is no such target")).to_be_visible()
    assert await opened.page.locator("img, main script").count() == 0
