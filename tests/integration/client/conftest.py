"""The client, pointed at Envoy as a person would, and REST to see what it has done."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from krkn_grpc.client import Krkn
from tests.support.rest import Rest
from tests.support.running import Running


@pytest.fixture
def rest(shared_services: Running) -> Rest:
    return Rest(shared_services.rest)


@pytest_asyncio.fixture
async def krkn(shared_services: Running) -> AsyncIterator[Krkn]:
    async with Krkn(shared_services.processes.rest_url) as client:
        yield client
