"""What is measured: a control plane of its own, and on it all of what `make run` starts."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import grpc.aio

from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import FULL, control_plane_binaries
from deploy.local.processes.ports import free_port
from deploy.local.progress import Progress
from deploy.local.run import ADMISSION, CRDS
from deploy.local.run_folder import run_folder
from deploy.local.services import ON_ONES_OWN_MACHINE, Options, Services
from tests.bench.targets import Targets
from tests.bench.turns import quiet
from tests.support.running import make_namespace

NAMESPACE = "krkn-operator-system"
BARE_NAMESPACE = "bench-bare"
# No check of a target falls into a round, and no limit on the calls of one address.
_QUIET = {"KRKN_PROBE_INTERVAL_SECONDS": "86400", "KRKN_RATE_LIMIT": "1000000"}


@dataclass(frozen=True)
class Bench:
    """Server, controller and Envoy as in `make run`, on a control plane that nobody else uses.

    The namespace BARE_NAMESPACE is for the bare loops: nobody acts on what is written there but
    Kubernetes itself.
    """

    control_plane: ControlPlane
    services: Services
    channel: grpc.aio.Channel
    """To Envoy, where clients call."""
    rest: aiohttp.ClientSession
    """To Envoy, its base URL set."""
    targets: Targets
    progress: Progress
    folder: Path
    namespace: str = NAMESPACE
    bare_namespace: str = BARE_NAMESPACE
    rounds: int = field(default=5)
    """How often each figure is measured, at least."""
    most: int = 1000
    """Over how many targets a run goes at most, for a quicker look."""
    metadata: tuple[tuple[str, str], ...] = ()
    """What a call says of its caller; nothing where nobody asks."""

    @property
    def cluster(self) -> Cluster:
        """The administrator's calls to the API server."""
        return self.control_plane.cluster

    async def quiet(self) -> None:
        """Wait until none of the processes has anything to do."""
        processes = (*self.control_plane.children, *self.services.children)
        await quiet(child.pid for child in processes if child.is_running)


@contextlib.asynccontextmanager
async def running(
    *,
    environment: Mapping[str, str] | None = None,
    audit_log: bool = False,
    rounds: int = 5,
    most: int = 1000,
    progress: Progress | None = None,
) -> AsyncIterator[Bench]:
    """Start it all; at the end nothing of it is left."""
    told = progress or Progress()
    binaries = control_plane_binaries(FULL, told)
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(run_folder())
        control_plane = await stack.enter_async_context(
            ControlPlane(binaries, crds=[CRDS, ADMISSION], audit_log=audit_log)
        )
        for name in (NAMESPACE, BARE_NAMESPACE):
            await make_namespace(control_plane.cluster, name)
        options = Options(
            namespace=NAMESPACE,
            grpc_port=free_port(),
            rest_port=free_port(),
            environment={**ON_ONES_OWN_MACHINE, **_QUIET, **(environment or {})},
        )
        services = Services(control_plane.cluster, options, folder, folder)
        stack.push_async_callback(services.stop, 5.0)
        await services.start()
        door = services.rest_url.removeprefix("http://")
        yield Bench(
            control_plane=control_plane,
            services=services,
            channel=await stack.enter_async_context(grpc.aio.insecure_channel(door)),
            rest=await stack.enter_async_context(aiohttp.ClientSession(services.rest_url)),
            targets=Targets(control_plane, services.grpc_address),
            progress=told,
            folder=folder,
            rounds=rounds,
            most=most,
        )
