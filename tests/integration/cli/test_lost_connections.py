"""What the command does when the service, or the way to it, is lost while it works."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

from deploy.local.services import SERVER
from tests.support.command import Command
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import RUNS, Rest
from tests.support.running import Running
from tests.support.waiting import eventually

RUN = ("run", "--scenario", "pod-scenarios", "--image")
HEADERS = 1
"""The type of the HTTP/2 frame with which a reply begins."""


async def test_a_server_that_is_killed_meanwhile_is_waited_for(services: Running) -> None:
    """The job ends while no server is there: a new one no longer has what happened before."""
    rest, name = Rest(services.rest), unused_name()
    target = await rest.register(clusterName=name)
    cli = Command(services.processes.rest_url)
    image = f"{IMAGE}-lasts-2s"
    async with cli.start(*RUN, image, "-t", name, "--wait", "-o", "json") as command:
        path = f"{RUNS}?targetUUID={target}&status=Running"
        listed = await eventually(lambda: rest.get(path), lambda reply: reply.body["jobs"])
        job_id = listed.body["jobs"][0]["jobId"]
        await services.processes.kill(SERVER)

        async def phase() -> str:
            path = f"{collection(JOBS, services.namespace)}/{job_id}"
            found: str = (await services.cluster.request("GET", path))["status"]["phase"]
            return found

        await eventually(phase, lambda found: found == "Succeeded")
        await services.processes.restart(SERVER)
        ended = await command.ended()
    assert (ended.code, ended.err.splitlines()[-1]) == (0, f"{name}: Succeeded (exit code 0)")
    assert [job["jobId"] for job in ended.json["jobs"]] == [job_id]


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
        assert error.startswith(f"Error: 127.0.0.1:{port} does not answer: ")
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
