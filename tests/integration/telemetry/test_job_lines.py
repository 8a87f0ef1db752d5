"""The log and the Events of jobs, from real processes: what one who is on call reads first."""

from collections.abc import Callable
from typing import Any

from tests.conftest import StartServices
from tests.support.requests import IMAGE, canary, token_target
from tests.support.running import Running, Wanted
from tests.support.runs import Runs
from tests.support.target_client import Targets
from tests.support.waiting import eventually

Line = dict[str, Any]
OF_EVERY_LINE = {"event", "level", "timestamp", "job", "trace"}
OF_A_JOB = OF_EVERY_LINE | {"run", "target", "cluster", "scenario", "status"}


def lines_about(services: Running, job: str) -> list[Line]:
    """What server and controller have logged about a job, but for audit lines."""
    lines = [*services.processes.events("server"), *services.processes.events("controller")]
    return [line for line in lines if job in str(line) and line["event"] != "audit"]


async def ended(services: Running, job: str) -> list[Line]:
    """All lines about a job, once it has its last."""

    async def lines() -> list[Line]:
        return lines_about(services, job)

    return await eventually(lines, lambda seen: any(each["event"] == "job ended" for each in seen))


async def test_a_job_has_a_line_at_its_start_and_one_at_its_end(shared_services: Running) -> None:
    services = shared_services
    runs, targets = Runs(services.channel), Targets(services.channel)
    cluster, secret = f"cluster {canary()[-6:]}", canary()
    target = await targets.create(token_target(clusterName=cluster, token=secret))
    [good] = await runs.run(target, scenarioName="good")
    [bad] = await runs.run(target, scenarioName="bad", scenarioImage=f"{IMAGE}-exit-3")
    [stopped] = await runs.run(target, scenarioName="late", scenarioImage=f"{IMAGE}-never-ends")
    [waits] = await runs.run(target, scenarioImage=f"{IMAGE}-image-pull-error")
    await runs.when(stopped, "Running")
    for each in (stopped, waits):
        await runs.stop(each)

    for job, scenario, status, reason in (
        (good, "good", "Succeeded", "Completed"),
        (bad, "bad", "Failed", "HealthCheckFailed"),
        (stopped, "late", "Stopped", "StopRequested"),
    ):
        run_id = (await runs.when(job)).run_id
        start, end = await ended(services, job)
        assert start.keys() == OF_A_JOB | {"pod"}
        assert end.keys() == OF_A_JOB | {"reason", "duration_seconds"}
        assert (start["event"], start["status"]) == ("job started", "Running")
        assert (end["event"], end["status"], end["reason"]) == ("job ended", status, reason)
        assert 0 <= end["duration_seconds"] < 60
        for line in (start, end):
            assert (line["level"], line["job"], line["run"]) == ("info", job, run_id)
            assert (line["cluster"], line["scenario"]) == (cluster, scenario)
            assert line["target"] == target
    # Never started, so it has no duration.
    await runs.when(waits)
    [end] = await ended(services, waits)
    assert (end["status"], end["reason"]) == ("Stopped", "StopRequested")
    assert "duration_seconds" not in end
    text = str([services.processes.events(name) for name in ("server", "controller", "envoy")])
    assert secret not in text


async def test_each_line_about_a_job_leads_to_its_call(start_services: StartServices) -> None:
    services = await start_services(Wanted(environment={"KRKN_LOG_LEVEL": "debug"}))
    runs, targets = Runs(services.channel), Targets(services.channel)
    jobs = await runs.run(*[await targets.create() for _ in range(3)])
    [audit] = [each for each in services.processes.events("server") if each.get("jobs") == jobs]
    for job in jobs:
        await runs.when(job)
        lines = await ended(services, job)
        assert {line["trace"] for line in lines} == {audit["trace"]}
        acted = [line for line in lines if line["event"] == "acted"]
        assert {"CreatePod", "Ungate", "SetStatus"} <= {line["action"] for line in acted}
        assert all(line["level"] == "debug" and line["job"] == job for line in acted)


async def test_events_tell_the_story_of_a_job_that_is_alone(shared_services: Running) -> None:
    services = shared_services
    runs, targets = Runs(services.channel), Targets(services.channel)
    target = await targets.create()
    path = f"/apis/events.k8s.io/v1/namespaces/{services.namespace}/events"
    started, stop = ("Normal", "Running", "Started"), ("Normal", "Stopping", "StopRequested")
    for image, is_stopped, told in (
        ("exit-3", False, [started, ("Warning", "Failed", "HealthCheckFailed")]),
        ("never-ends", True, [started, stop, ("Normal", "Stopped", "StopRequested")]),
        (
            "image-pull-error",
            True,
            [("Warning", "Pending", "ErrImagePull"), stop, ("Normal", "Stopped", "StopRequested")],
        ),
    ):
        [job] = await runs.run(target, scenarioImage=f"{IMAGE}-{image}")

        async def events(job: str = job) -> list[tuple[str, str, str]]:
            items = (await services.cluster.request("GET", path))["items"]
            ours = [each for each in items if each["regarding"]["name"] == job]
            ours.sort(key=lambda each: str(each["eventTime"]))
            return [(each["type"], each["action"], each["reason"]) for each in ours]

        first = await eventually(events)
        assert first[0] == told[0]
        if is_stopped:
            await runs.stop(job)
        await runs.when(job)
        assert await eventually(events, so_many(len(told))) == told


def so_many(number: int) -> Callable[[list[Any]], bool]:
    """Whether there are as many."""
    return lambda seen: len(seen) >= number
