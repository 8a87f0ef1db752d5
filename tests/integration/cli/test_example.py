"""examples/run_on_many.py, as its docstring says to run it."""

import uuid

import pytest

from tests.support.command import example
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import Rest
from tests.support.running import Running


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
    ended = await example(shared_services.processes.rest_url, "pod-scenarios", image, *targets)
    assert ended.code == code, ended
    for name in names:
        [line] = [line for line in ended.out.splitlines() if name in line]
        assert line.split()[1:3] == row


async def test_a_target_that_is_refused_fails_it(shared_services: Running, rest: Rest) -> None:
    target, absent = await rest.register(), str(uuid.uuid4())
    ended = await example(
        shared_services.processes.rest_url, "pod-scenarios", IMAGE, target, absent
    )
    assert ended.code == 1
    assert [line.split()[1] for line in ended.out.splitlines() if absent in line] == ["Refused"]


async def test_no_targets_are_not_all_of_them(shared_services: Running) -> None:
    ended = await example(shared_services.processes.rest_url, "pod-scenarios", IMAGE)
    assert (ended.code, ended.out, "--all" in ended.err) == (1, "", True), ended
