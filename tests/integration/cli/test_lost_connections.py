"""What the command does when the service, or the way to it, is lost while it works."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from functools import partial

from deploy.local.services import SERVER
from tests.support.command import Command, example
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import RUNS, Reply, Rest
from tests.support.running import Running
from tests.support.waiting import eventually

RUN = ("run", "--scenario", "pod-scenarios", "--image")
HEADERS = 1
"""The type of the HTTP/2 frame with which a reply begins."""


def has_jobs(reply: Reply) -> bool:
    return bool(reply.body["jobs"])


async def test_a_server_that_is_killed_meanwhile_is_waited_for(services: Running) -> None:
    """The jobs end while no server is there: a new one no longer has what happened before.

    The example does as the command does.
    """
    rest, name = Rest(services.rest), unused_name()
    target, of_example = await rest.register(clusterName=name), await rest.register()
    cli = Command(services.processes.rest_url)
    image = f"{IMAGE}-lasts-2s"
    async with (
        asyncio.TaskGroup() as tasks,
        cli.start(*RUN, image, "-t", name, "--wait", "-o", "json") as command,
    ):
        running = tasks.create_task(example(cli.server, "pod-scenarios", image, of_example))
        await eventually(partial(rest.get, f"{RUNS}?targetUUID={target}"), has_jobs)
        await eventually(partial(rest.get, f"{RUNS}?targetUUID={of_example}"), has_jobs)
        await services.processes.kill(SERVER)

        async def phases() -> set[str]:
            jobs = await services.cluster.request("GET", collection(JOBS, services.namespace))
            return {job.get("status", {}).get("phase") for job in jobs["items"]}

        await eventually(phases, lambda found: found == {"Succeeded"})
        await services.processes.restart(SERVER)
        ended, of_example_ended = await command.ended(), await running
    assert ended.code == 0
    assert ended.err.splitlines()[-1].startswith("1 job: 1 Succeeded in ")
    assert [job["targetUUID"] for job in ended.json["jobs"]] == [target]
    assert (of_example_ended.code, "Succeeded" in of_example_ended.out) == (0, True), (
        of_example_ended
    )


async def test_a_reply_that_is_lost_starts_nothing_twice(
    shared_services: Running, rest: Rest
) -> None:
    target = await rest.register()
    async with replies_are_lost_once(shared_services.processes.options.rest_port) as port:
        cli = Command(f"127.0.0.1:{port}")
        ran = await cli(*RUN, f"{IMAGE}-never-starts", "-t", target, "-o", "json")
    assert ran.code == 0, ran
    [started] = ran.json["jobs"]
    jobs = (await rest.get(f"{RUNS}?targetUUID={target}")).body["jobs"]
    assert [job["jobId"] for job in jobs] == [started["jobId"]]


async def test_a_run_that_nobody_answered_says_how_to_repeat_it(
    shared_services: Running, rest: Rest
) -> None:
    target = await rest.register()
    arguments = (*RUN, f"{IMAGE}-never-starts", "-t", target, "-o", "json")
    async with replies_are_lost_once(shared_services.processes.options.rest_port) as port:
        cli = Command(f"127.0.0.1:{port}").with_environment(KRKN_RETRIES="0")
        lost = await cli(*arguments)
        assert lost.code == 4
        [hint, error] = lost.err.splitlines()
        said = json.loads(error)["message"]
        assert said.startswith(f"127.0.0.1:{port} does not answer: ")
        request_id = hint.partition("--request-id ")[2].partition(" ")[0]
        assert str(uuid.UUID(request_id)) == request_id
        again = await cli(*arguments, "--request-id", request_id)
    [started] = again.json["jobs"]
    jobs = (await rest.get(f"{RUNS}?targetUUID={target}")).body["jobs"]
    assert [job["jobId"] for job in jobs] == [started["jobId"]]


@contextlib.asynccontextmanager
async def replies_are_lost_once(to: int) -> AsyncIterator[int]:
    """Listen on a port before `to`: the first connection is cut where a reply would begin.

    So that whatever was asked on it has been carried out.
    """
    connections: list[asyncio.Task[None]] = []
    has_cut = False

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal has_cut
        task = asyncio.current_task()
        assert task is not None
        connections.append(task)
        with contextlib.closing(writer), contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
            there = asyncio.create_task(_pass_on(reader, far_writer))
            with contextlib.closing(far_writer):
                if not has_cut:
                    await _pass_frames(far_reader, writer)
                    has_cut = True
                else:
                    await _pass_on(far_reader, writer)
            there.cancel()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


async def _pass_frames(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass HTTP/2 frames on until a reply begins."""
    while True:
        head = await reader.readexactly(9)
        if head[3] == HEADERS:
            return
        writer.write(head + await reader.readexactly(int.from_bytes(head[:3])))
        await writer.drain()
