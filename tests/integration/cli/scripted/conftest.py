"""The command, with a service that says just what a test scripts."""

from collections.abc import Iterator

import pytest

from tests.rest.edge.running import Upstream
from tests.support.command import Command
from tests.support.scripted import TARGET, scripted_service

WAIT = ("run", "--scenario", "s", "--image", "i", "-t", TARGET, "--wait")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with scripted_service() as upstream:
        yield upstream


@pytest.fixture
def cli(upstream: Upstream) -> Command:
    return Command(f"127.0.0.1:{upstream.port}")
