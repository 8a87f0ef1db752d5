"""The server ends when it is told to, also where it waits for something that does not come."""

import asyncio

from deploy.local.cluster.control_plane import ControlPlane
from tests.conftest import StartServices
from tests.integration.runs.held import Hold, a_proxy
from tests.support.running import Wanted
from tests.support.waiting import SECONDS


async def test_before_its_first_list_has_come(
    control_plane: ControlPlane, start_services: StartServices
) -> None:
    async with a_proxy(control_plane) as proxy:
        wanted = Wanted(controller=False, envoy=False, kubeconfig_url=proxy.url)
        services = await start_services(wanted)
        await services.processes.kill("server")
        hold = Hold(proxy, "before", "GET krknchaosjobs")
        services.processes.start_again("server")
        await asyncio.wait_for(hold.came.wait(), SECONDS)
        server = services.processes.child("server")
        await server.stop(10)
        assert server.exit_code == 0
