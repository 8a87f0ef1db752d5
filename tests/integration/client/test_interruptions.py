"""What the client does when the service, or the way to it, is lost: nothing twice, nothing lost."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from deploy.local.services import SERVER
from krkn_grpc.client import BearerToken, JobStatus, Krkn, KrknError, NotFound, Unavailable
from tests.support.cut_connections import relay
from tests.support.requests import IMAGE, canary, unused_name, unused_url
from tests.support.rest import Rest
from tests.support.running import Running
from tests.support.waiting import eventually

SCENARIO = "pod-scenarios"
POINTS = 12


async def cut_at_any_moment(services: Running, call: Callable[[int], Awaitable[object]]) -> int:
    """Let `call` call the service by a port, once whole, then with a cut later each time.

    Each time by another port: channels of one process share what is still connected. Return the
    number of cuts.
    """
    to = services.processes.options.rest_port
    async with relay(to) as way:
        await call(way.port)
        whole = way.passed
    cuts = 0
    for point in range(POINTS):
        async with relay(to) as way:
            way.cut_after = 1 + whole * point // POINTS
            await call(way.port)
            cuts += way.cuts
    return cuts


async def test_one_run_although_the_connection_is_cut_at_any_moment(
    shared_services: Running, rest: Rest
) -> None:
    """Each call goes over a connection that breaks a little later than the one before."""
    targets = [await rest.register() for _ in range(2)]
    runs: list[str] = []

    async def run(port: int) -> None:
        async with Krkn(f"127.0.0.1:{port}") as krkn:
            started = await krkn.run(SCENARIO, targets, image=f"{IMAGE}-never-starts")
            runs.append(started.run_id)

    # The last bytes of a connection come after the reply: a cut there is no cut of a call.
    assert await cut_at_any_moment(shared_services, run) >= POINTS - 2
    jobs = (await rest.get(f"/api/v1/scenarios/run?targetUUID={targets[0]}")).body["jobs"]
    assert sorted(job["runId"] for job in jobs) == sorted(runs)
    assert len(set(runs)) == POINTS + 1
    for run_id in runs:
        await rest.delete(f"/api/v1/runs/{run_id}")


async def test_what_is_not_idempotent_is_not_repeated(shared_services: Running) -> None:
    """A registration whose answer is lost, or which was never sent: the caller is told."""
    lost: list[Unavailable] = []

    async def register(port: int) -> None:
        try:
            # Sent twice it would be refused, with AlreadyExists.
            async with Krkn(f"127.0.0.1:{port}") as krkn:
                await krkn.targets.register(unused_name(), BearerToken(unused_url(), canary()))
        except Unavailable as error:
            lost.append(error)

    await cut_at_any_moment(shared_services, register)
    assert 0 < len(lost) <= POINTS


async def test_a_delete_that_has_happened_is_no_error(shared_services: Running, rest: Rest) -> None:
    async def delete(port: int) -> None:
        target = await rest.register()
        async with Krkn(f"127.0.0.1:{port}") as krkn:
            await krkn.targets.delete(target)
        assert (await rest.get(f"/api/v1/operator/targets/{target}")).status == 404

    assert await cut_at_any_moment(shared_services, delete)
    async with Krkn(shared_services.processes.rest_url) as krkn:
        target = await rest.register()
        await krkn.targets.delete(target)
        with pytest.raises(NotFound):
            await krkn.targets.delete(target)


async def test_a_server_that_is_killed_is_waited_for(services: Running) -> None:
    """Wait, watch and logs go on over two kills; each line and each change comes once."""
    rest = Rest(services.rest)
    targets = [await rest.register() for _ in range(2)]
    async with Krkn(services.processes.rest_url) as krkn:
        run = await krkn.run(SCENARIO, targets, image=f"{IMAGE}-lasts-8s-logs-200-lines")

        async def lines() -> dict[str, list[str]]:
            told: dict[str, list[str]] = {each: [] for each in targets}
            async for line in run.logs():
                told[line.target_uuid].append(line.text)
            return told

        async def statuses() -> list[tuple[str, JobStatus]]:
            told = []
            async for change in run.watch():
                told.append((change.object.job_id, change.object.status))
                ended = [status for _, status in told if status.is_final]
                if len(ended) == len(targets):
                    break
            return told

        async with asyncio.TaskGroup() as tasks:
            outcome = tasks.create_task(run.wait())
            logs = tasks.create_task(lines())
            watched = tasks.create_task(statuses())
            jobs = partial(rest.get, f"/api/v1/scenarios/run?runId={run.run_id}")
            for _ in range(2):
                await eventually(
                    jobs,
                    lambda reply: (
                        reply.status == 200
                        and {"Running"} == {job["status"] for job in reply.body["jobs"]}
                    ),
                )
                await services.processes.kill(SERVER)
                await services.processes.restart(SERVER)
        assert outcome.result().succeeded
        for each in run.results:
            reply = await rest.get(f"/api/v1/scenarios/run/{each.job_id}/logs")
            assert logs.result()[each.target_uuid] == reply.text.splitlines()
            seen = [status for job_id, status in watched.result() if job_id == each.job_id]
            assert seen[-1] is JobStatus.SUCCEEDED
            assert seen.count(JobStatus.SUCCEEDED) == 1


async def test_a_cut_log_goes_on_where_it_was(shared_services: Running, rest: Rest) -> None:
    target = await rest.register()
    async with (
        relay(shared_services.processes.options.rest_port) as way,
        Krkn(f"127.0.0.1:{way.port}") as krkn,
    ):
        run = await krkn.run(SCENARIO, [target], image=f"{IMAGE}-lasts-3s-logs-100-lines")
        told = []
        async for line in run.logs():
            told.append(line.text)
            if len(told) in (20, 60, 101):
                way.cut_all()
    reply = await rest.get(f"/api/v1/scenarios/run/{run.results[0].job_id}/logs")
    assert told == reply.text.splitlines()


async def test_a_stream_that_was_quiet_for_long_goes_on(
    shared_services: Running, rest: Rest
) -> None:
    """Quiet for longer than the patience: a scenario that says nothing for hours is usual."""
    # Long enough for a new connection, after the pause of a second that gRPC makes before one.
    patience, quiet_seconds = 5.0, 5.5
    target = await rest.register()
    async with (
        relay(shared_services.processes.options.rest_port) as way,
        Krkn(f"127.0.0.1:{way.port}", retry_seconds=patience) as krkn,
    ):
        run = await krkn.run(SCENARIO, [target], image=f"{IMAGE}-never-ends")
        waiting = asyncio.ensure_future(run.wait())
        jobs = partial(rest.get, f"/api/v1/scenarios/run?runId={run.run_id}")
        await eventually(jobs, lambda reply: reply.body["jobs"][0]["status"] == "Running")
        for _ in range(2):
            await asyncio.sleep(quiet_seconds)
            way.cut_all()
        await asyncio.sleep(quiet_seconds)
        assert not waiting.done(), await waiting
        await run.cancel()
        assert [job.status for job in (await waiting).jobs] == [JobStatus.STOPPED]


async def test_patience_has_an_end() -> None:
    async with Krkn("127.0.0.1:1", retry_seconds=0.5) as krkn:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 does not answer") as away:
            await krkn.targets.select()
        assert away.value.retry_after is None
        with pytest.raises(Unavailable):
            async for _ in krkn.jobs.watch():
                pass


async def test_what_is_open_ends_with_the_client(shared_services: Running) -> None:
    async with Krkn(shared_services.processes.rest_url) as krkn:
        # Nothing passes the filter: it waits.
        waiting = asyncio.ensure_future(anext(krkn.jobs.watch(run_id=str(uuid.uuid4()))))
        await krkn.targets.select()
    with pytest.raises(KrknError, match="the client was closed"):
        await waiting
    with pytest.raises(KrknError, match="the client was closed"):
        await krkn.targets.select()
