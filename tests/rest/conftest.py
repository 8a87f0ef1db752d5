"""What the tests through Envoy share."""

import pytest

from tests.support.rest import Rest
from tests.support.running import Running


@pytest.fixture
def rest(shared_services: Running) -> Rest:
    """REST to the services that all tests share."""
    return Rest(shared_services.rest)
