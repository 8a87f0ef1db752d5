"""What the tests of `make run` share."""

from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from deploy.local.go.build import Binaries
from tests.support.make_run import Run

StartRun = Callable[..., Run]


@pytest_asyncio.fixture
async def start_run(
    binaries: Binaries, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StartRun]:
    # A short path: Envoy's socket is below it, and the path of a socket has 107 bytes at most.
    folder = tmp_path_factory.mktemp("run")
    runs: list[Run] = []

    def start(**environment: str) -> Run:
        runs.append(Run(folder, **environment))
        return runs[-1]

    yield start
    for run in runs:
        run.close()
