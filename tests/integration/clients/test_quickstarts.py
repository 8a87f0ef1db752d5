"""The examples of the clients in other languages, against the whole service through Envoy."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.rest.edge.running import SECONDS, open_door
from tests.support.client_programs import (
    ClientProgram,
    go_quickstart,
    python_quickstart,
    typescript_quickstart,
)
from tests.support.requests import IMAGE, unused_name
from tests.support.rest import Rest
from tests.support.running import Running

LANGUAGES = ("go", "typescript", "python")


@pytest_asyncio.fixture(scope="module", params=LANGUAGES)
async def quickstart(
    request: pytest.FixtureRequest,
    client_packages: None,
    shared_services: Running,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ClientProgram]:
    scratch: Path = tmp_path_factory.mktemp(request.param)
    match request.param:
        case "go":
            yield go_quickstart()
        case "typescript":
            yield await typescript_quickstart(scratch)
        case _:
            document = f"{shared_services.processes.rest_url}/api/v1/openapi.json"
            yield await python_quickstart(scratch, document)


@pytest_asyncio.fixture
async def names(shared_services: Running) -> list[str]:
    """Two targets with a label of this test's own, which is the first one's name."""
    rest = Rest(shared_services.rest)
    names = [unused_name(), unused_name()]
    for name in names:
        await rest.register(clusterName=name, labels={"quickstart": names[0]})
    return names


@pytest.mark.parametrize(
    ("image", "code", "how"), [(IMAGE, 0, "Succeeded 0"), (f"{IMAGE}-exit-3", 1, "Failed 3")]
)
async def test_it_tells_how_each_target_ended(
    quickstart: ClientProgram,
    shared_services: Running,
    names: list[str],
    image: str,
    code: int,
    how: str,
) -> None:
    server = shared_services.processes.rest_url.removeprefix("http://")
    ended = await quickstart.run(f"quickstart={names[0]}", image, KRKN_SERVER=server)
    assert ended.code == code, ended
    assert sorted(ended.out) == sorted(f"{name} {how}" for name in names)


async def test_a_call_that_is_refused_ends_it(
    quickstart: ClientProgram, shared_services: Running
) -> None:
    server = shared_services.processes.rest_url
    ended = await quickstart.run("not a selector,,", KRKN_SERVER=server)
    assert ended.code == 1
    assert ended.out == []
    assert "labelSelector" in ended.err


async def test_a_refusal_of_envoy_ends_it_with_all_that_is_said(
    quickstart: ClientProgram, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    told = {
        "go": "code = Unavailable desc = the service cannot be reached now",
        # Node prints the whole error.
        "typescript": "google.rpc.ErrorInfo",
        "python": "the service cannot be reached now",
    }
    with open_door(tmp_path) as door:
        door.server.stop(grace=None).wait(SECONDS)
        ended = await quickstart.run(KRKN_SERVER=door.address)
    assert ended.code == 1
    assert told[request.node.callspec.params["quickstart"]] in ended.err
