"""What the tests of the command share."""

import pytest

from tests.support.command import Command
from tests.support.rest import Rest
from tests.support.running import Running


@pytest.fixture
def cli(shared_services: Running) -> Command:
    """The command, pointed at Envoy as a person would."""
    return Command(shared_services.processes.rest_url)


@pytest.fixture
def rest(shared_services: Running) -> Rest:
    """REST to the same services, to see what the command has done."""
    return Rest(shared_services.rest)
