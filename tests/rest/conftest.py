"""What the tests through Envoy share."""

from collections.abc import Iterator

import httpx
import pytest

from tests.rest.edge.running import Door, Upstream, open_door
from tests.support.rest import Rest
from tests.support.running import Running


@pytest.fixture
def rest(shared_services: Running) -> Rest:
    """REST to the services that all tests share."""
    return Rest(shared_services.rest)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Envoy before a server that answers what a test tells it to; a module may have its own."""
    with open_door(tmp_path_factory.mktemp("door")) as opened:
        yield opened


@pytest.fixture
def upstream(door: Door) -> Upstream:
    """The server behind the door, with nothing left of the test before."""
    door.upstream.reset()
    return door.upstream


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def client(door: Door, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A caller in each of the protocols that the door speaks."""
    http2 = request.param == "HTTP/2"
    with door.client(http1=not http2, http2=http2) as opened:
        yield opened
