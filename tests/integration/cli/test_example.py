"""examples/run_on_many.py, as its docstring says to run it."""

import asyncio
import os
import sys
import uuid

import pytest

from deploy.local.services import REPOSITORY, SERVER
from tests.support.command import SECONDS, Ended
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import RUNS, Rest
from tests.support.running import Running
from tests.support.waiting import eventually


async def example(services: Running, *arguments: str) -> Ended:
    """Run the example to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "examples.run_on_many", *arguments),
        cwd=REPOSITORY,
        env={
            **os.environ,
            "KRKN_SERVER": f"127.0.0.1:{services.processes.options.rest_port}",
            "COLUMNS": "200",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.mark.parametrize(
    ("image", "code", "row"),
    [
        pytest.param(IMAGE, 0, ["Succeeded", "0"], id="all succeed"),
        pytest.param(f"{IMAGE}-exit-3", 1, ["Failed", "3"], id="one fails"),
    ],
)
async def test_it_tells_how_each_target_ended(
    shared_services: Running, rest: Rest, image: str, code: int, row: list[str]
) -> None:
    names = [unused_name(), unused_name()]
    targets = [await rest.register(clusterName=name) for name in names]
    ended = await example(shared_services, "pod-scenarios", image, *targets)
    assert ended.code == code, ended
    for name in names:
        [line] = [line for line in ended.out.splitlines() if name in line]
        assert [cell.strip() for cell in line.split("│")][2:4] == row


async def test_a_target_that_is_refused_fails_it(shared_services: Running, rest: Rest) -> None:
    target, absent = await rest.register(), str(uuid.uuid4())
    ended = await example(shared_services, "pod-scenarios", IMAGE, target, absent)
    assert ended.code == 1
    assert [line.split("│")[2].strip() for line in ended.out.splitlines() if absent in line] == [
        "Failed"
    ]


async def test_it_outlives_the_server(services: Running) -> None:
    rest = Rest(services.rest)
    target = await rest.register()
    running = asyncio.create_task(example(services, "pod-scenarios", f"{IMAGE}-lasts-3s", target))
    path = f"{RUNS}?targetUUID={target}&status=Running"
    await eventually(lambda: rest.get(path), lambda reply: reply.body["jobs"])
    await services.processes.restart(SERVER)
    ended = await running
    assert ended.code == 0, ended
    assert "Succeeded" in ended.out
