"""An API server that is slow to list is waited for: asking it anew would make it slower still."""

import asyncio

import pytest

from deploy.local.cluster.control_plane import ControlPlane
from tests.conftest import StartServices
from tests.integration.runs.held import a_proxy
from tests.support.api_proxy import Call
from tests.support.running import Wanted

# Longer than any other call may take.
SLOW_SECONDS = 17.0


@pytest.mark.timeout(180)
async def test_the_first_list_may_take_long(
    control_plane: ControlPlane, start_services: StartServices
) -> None:
    lists: list[str] = []

    async def slowly(call: Call) -> None:
        """Hold the first call for jobs, which lists them; the next one is the watch."""
        if call.method == "GET" and call.path.endswith("/krknchaosjobs"):
            lists.append(call.path)
            if len(lists) == 1:
                await asyncio.sleep(SLOW_SECONDS)

    async with a_proxy(control_plane) as proxy:
        proxy.before = slowly
        wanted = Wanted(controller=False, envoy=False, kubeconfig_url=proxy.url)
        services = await start_services(wanted)
        lost = [
            line for line in services.processes.events("server") if line["event"] == "watch lost"
        ]
        assert not lost
        assert len(lists) <= 2, "it was listed anew"
