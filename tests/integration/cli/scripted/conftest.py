"""The command, with a service that says just what a test scripts."""

from collections.abc import Iterator

import pytest

from tests.rest.edge.running import Upstream
from tests.support.command import Command
from tests.support.scripted import TARGET

WAIT = ("run", "--scenario", "s", "--image", "i", "-t", TARGET, "--wait")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    scripted = Upstream()
    server = scripted.serve()
    yield scripted
    server.stop(grace=None).wait()


@pytest.fixture
def cli(upstream: Upstream) -> Command:
    return Command(f"127.0.0.1:{upstream.port}")
