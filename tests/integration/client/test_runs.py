"""Runs by the client: started, followed, stopped, run again."""

import uuid
from itertools import pairwise

import pytest

from krkn_grpc.client import (
    File,
    Halted,
    InvalidArgument,
    JobStatus,
    Krkn,
    LogLine,
    NothingStarted,
    RequestIdReused,
    RunStatus,
)
from krkn_grpc.resources.names import pod_for
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import Rest
from tests.support.running import Running
from tests.support.waiting import SECONDS, eventually

SCENARIO = "pod-scenarios"


async def test_a_run_from_start_to_end(krkn: Krkn, rest: Rest) -> None:
    names = [unused_name(), unused_name()]
    targets = [await rest.register(clusterName=name) for name in names]
    run = await krkn.run(
        SCENARIO,
        targets,
        image=f"{IMAGE}-exit-3",
        labels={"of": names[0]},
        files=[File("/tmp/given", b"\xff")],
        timeout_seconds=60,
    )
    assert [each.target_uuid for each in run.results] == targets
    outcome = await run.wait(timeout=SECONDS)
    assert not outcome.succeeded
    assert [(job.cluster_name, job.status, job.exit_code) for job in outcome.jobs] == [
        (name, JobStatus.FAILED, 3) for name in names
    ]
    assert all(job.duration is not None and job.file_names == ("given",) for job in outcome.jobs)
    for name in names:
        assert f"{name}  Failed" in outcome.table()
    record = await run.get()
    assert (record.run_id, record.counts.total) == (run.run_id, 2)
    assert [job.job_id for job in await run.jobs()] == [each.job_id for each in run.results]
    listed = [each.run_id async for each in krkn.runs.list(selector=f"of={names[0]}")]
    assert listed == [run.run_id]
    failed = [job async for job in krkn.jobs.list(run_id=run.run_id, status=JobStatus.FAILED)]
    assert {job.cluster_name for job in failed} == set(names)

    again = await krkn.runs.rerun(run.run_id, only_failed=True, files=[File("/tmp/given", b"x")])
    assert again.run_id != run.run_id
    assert {each.target_uuid for each in again.results} == set(targets)


async def test_lines_of_all_jobs_at_once(krkn: Krkn, rest: Rest, shared_services: Running) -> None:
    targets = [await rest.register() for _ in range(3)]
    run = await krkn.run(SCENARIO, targets, image=f"{IMAGE}-lasts-2s-logs-50-lines")
    told: dict[str, list[str]] = {}
    order = []
    async for line in run.logs():
        told.setdefault(line.target_uuid, []).append(line.text)
        order.append(line.job_id)
        assert line.time is not None
        assert line.source == ""
    assert set(told) == set(targets)
    # They come side by side, and not one log after the other.
    changes = sum(a != b for a, b in pairwise(order))
    assert changes > len(targets)
    for each in run.results:
        reply = await rest.get(f"/api/v1/scenarios/run/{each.job_id}/logs")
        assert told[each.target_uuid] == reply.text.splitlines()
    job_id = run.results[0].job_id
    last = [line.text async for line in krkn.jobs.logs(job_id, tail_lines=1)]
    assert last == told[targets[0]][-1:]

    pod = f"/api/v1/namespaces/{shared_services.namespace}/pods/{pod_for(job_id)}"
    await shared_services.cluster.request("DELETE", pod)

    async def of_one() -> list[LogLine]:
        return [line async for line in krkn.jobs.logs(job_id)]

    kept = await eventually(of_one, lambda lines: {each.source for each in lines} == {"kept"})
    assert [line.text for line in kept] == told[targets[0]]


async def test_a_run_is_cancelled_at_its_first_failure(krkn: Krkn, rest: Rest) -> None:
    target = await rest.register()
    run = await krkn.run(SCENARIO, [target, str(uuid.uuid4())], image=f"{IMAGE}-never-ends")
    [refused] = run.refused
    assert refused.error
    outcome = await run.wait(on_failure="cancel", timeout=SECONDS)
    assert [job.status for job in outcome.jobs] == [JobStatus.STOPPED]
    assert "Refused" in outcome.table()
    await rest.run_when(run.run_id)
    assert (await run.get()).status is RunStatus.STOPPED


async def test_a_wait_that_takes_too_long_leaves_the_run(krkn: Krkn, rest: Rest) -> None:
    run = await krkn.run(SCENARIO, [await rest.register()], image=f"{IMAGE}-never-ends")
    with pytest.raises(TimeoutError):
        await run.wait(timeout=0.5)
    attached = await krkn.runs.attach(run.run_id)
    assert not (await attached.get()).status.is_final
    await attached.cancel()
    [job] = (await attached.wait(timeout=SECONDS)).jobs
    assert job.status is JobStatus.STOPPED


async def test_a_deleted_job_ends_a_wait(krkn: Krkn, rest: Rest) -> None:
    run = await krkn.run(
        SCENARIO, [await rest.register()], image=IMAGE, ttl_seconds_after_finished=0
    )
    [job] = run.results
    await rest.job_gone(job.job_id)
    outcome = await run.wait(timeout=SECONDS)
    assert [each.status for each in outcome.jobs] == [JobStatus.DELETED]
    assert not outcome.succeeded


async def test_nothing_started_is_an_error(krkn: Krkn) -> None:
    absent = str(uuid.uuid4())
    with pytest.raises(NothingStarted) as nothing:
        await krkn.run(SCENARIO, [absent], image=IMAGE)
    assert list(nothing.value.refused) == [absent]


async def test_a_request_id_is_one_run(krkn: Krkn, rest: Rest) -> None:
    target, request_id = await rest.register(), str(uuid.uuid4())
    first = await krkn.run(SCENARIO, [target], image=IMAGE, request_id=request_id)
    again = await krkn.run(SCENARIO, [target], image=IMAGE, request_id=request_id)
    assert (first.run_id, first.results) == (again.run_id, again.results)
    with pytest.raises(RequestIdReused):
        await krkn.run(SCENARIO, [target], image=f"{IMAGE}-exit-1", request_id=request_id)


async def test_a_check_starts_nothing(krkn: Krkn, rest: Rest) -> None:
    target = await rest.register()
    [result] = await krkn.validate(SCENARIO, [target], image=IMAGE)
    assert (result.success, result.job_id) == (True, "")
    with pytest.raises(InvalidArgument) as refused:
        await krkn.validate(SCENARIO, [target], image=IMAGE, timeout_seconds=0)
    assert [each.field for each in refused.value.fields] == ["timeoutSeconds"]
    assert [job async for job in krkn.jobs.list(target_uuid=target)] == []


async def test_halted_targets_refuse_a_run(krkn: Krkn, rest: Rest) -> None:
    name = unused_name()
    target = await rest.register(labels={"halted": name})
    halt = await krkn.halts.create("an incident", target_selector=f"halted={name}")
    try:
        assert halt.name in [each.name async for each in krkn.halts.list()]
        with pytest.raises(Halted, match="an incident"):
            await krkn.run(SCENARIO, [target], image=IMAGE)
    finally:
        await krkn.halts.lift(halt.name)
    assert halt.name not in [each.name async for each in krkn.halts.list()]


async def test_the_catalogue(krkn: Krkn) -> None:
    names = [each.name for each in await krkn.scenarios.list()]
    assert SCENARIO in names
    scenario = await krkn.scenarios.get(SCENARIO)
    assert "NAMESPACE" in {field.variable for field in scenario.fields}
    assert scenario.image
    assert (await krkn.scenarios.globals(SCENARIO)).fields
