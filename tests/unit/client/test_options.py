"""What a program may pass for the options of a run, and what it would mean by oversight."""

import uuid
from collections.abc import Awaitable, Callable

import pytest

from krkn_grpc.client import Krkn
from krkn_grpc.client.options import RunOptions, run_request

UUID = "0b5e3a8e-9d64-4f63-9d5d-f2c6c60b0a6e"


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda krkn: krkn.run("s", UUID), id="the targets of a run"),
        pytest.param(lambda krkn: krkn.validate("s", UUID), id="of a check"),
        pytest.param(lambda krkn: krkn.run("s", [UUID], abort_on="{}"), id="alerts"),
        pytest.param(lambda krkn: krkn.targets.wait_ready(UUID), id="targets to wait for"),
        pytest.param(lambda krkn: krkn.targets.patch(UUID, remove_labels="env"), id="labels"),
    ],
)
async def test_a_text_is_no_list_of_its_letters(call: Callable[[Krkn], Awaitable[object]]) -> None:
    async with Krkn("127.0.0.1:1", retry_seconds=0) as krkn:
        with pytest.raises(TypeError, match="is a list: for one write"):
            await call(krkn)


def test_a_run_always_has_a_request_id() -> None:
    blank: list[RunOptions] = [{}, {"request_id": ""}]
    for options in blank:
        first, second = (run_request("s", [UUID], options).request_id for _ in range(2))
        assert uuid.UUID(first) != uuid.UUID(second)
    assert run_request("s", [UUID], {"request_id": UUID}).request_id == UUID
