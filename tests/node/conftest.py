"""The whole product with a real node, and two target clusters; once for all tests of this folder.

`make e2e` runs them where they can (see deploy/local/node). What every process has logged, and the
objects as each test left them, are in LOGS until the next run.
"""

import contextlib
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster import manifests
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import FULL, Binaries, control_plane_binaries
from deploy.local.node.build import node_binaries
from deploy.local.node.node import Node
from deploy.local.progress import Progress
from deploy.local.services import REPOSITORY
from tests.node import images
from tests.node.objects import write_objects
from tests.node.stage import GRACE_SECONDS, Stage
from tests.node.target import TargetCluster, target_cluster
from tests.support.rest import Rest
from tests.support.running import CLUSTER_WIDE, Running, Wanted, make_namespace, running

DEPLOY = REPOSITORY / "deploy"
LOGS = REPOSITORY / ".e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests that measure run first, while nothing else is there."""
    items.sort(key=lambda item: "test_installed" not in item.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where to look."""
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(f"the logs of all processes, and what was there: {LOGS}")


@pytest.fixture(scope="session")
def logs() -> Path:
    """A folder for all logs, which outlives the run."""
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(mode=0o700)
    (LOGS / "objects").mkdir()
    return LOGS


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """The control plane's binaries and the node's."""
    progress = Progress()
    return {**control_plane_binaries(FULL, progress), **node_binaries(progress)}


@pytest_asyncio.fixture(scope="session")
async def control_plane(binaries: Binaries, logs: Path) -> AsyncIterator[ControlPlane]:
    """The cluster that the product runs on, without a node yet."""
    async with ControlPlane(
        binaries, crds=CLUSTER_WIDE, fake_node=False, audit_log=True, logs=logs / "our-cluster"
    ) as started:
        yield started


@pytest_asyncio.fixture(scope="session")
async def node(binaries: Binaries, control_plane: ControlPlane, logs: Path) -> AsyncIterator[Node]:
    """Its only node, which has the scenario images."""
    folder = logs / "node"
    folder.mkdir()
    async with Node(binaries, control_plane, folder) as started:
        archive = started.folder / images.ARCHIVE
        images.build(binaries["kubectl"], archive)
        await started.load(archive)
        yield started
        started.keep_pod_logs(folder / "pods")


@pytest_asyncio.fixture(scope="session")
async def targets(binaries: Binaries, logs: Path) -> AsyncIterator[list[TargetCluster]]:
    """Two target clusters that know nothing of each other."""
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(target_cluster(name, binaries, logs / name))
            for name in ("target-1", "target-2")
        ]


@pytest_asyncio.fixture(scope="session")
async def product(control_plane: ControlPlane, node: Node, logs: Path) -> AsyncIterator[Running]:
    """Server, controller and Envoy, in a namespace as deploy/base has it: Pod Security enforced."""
    namespace = f"krkn-{uuid.uuid4().hex[:6]}"
    await make_namespace(control_plane.cluster, namespace)
    as_deployed = manifests.load(DEPLOY / "base" / "namespace.yaml")
    await control_plane.cluster.apply(manifests.in_namespace(as_deployed, namespace))
    settings = {
        "KRKN_IMAGE_PULL_POLICY": "IfNotPresent",
        "KRKN_GRACE_SECONDS": str(GRACE_SECONDS),
    }
    folder = logs / "product"
    folder.mkdir()
    async with running(
        control_plane.cluster, namespace, folder, Wanted(environment=settings)
    ) as started:
        yield started
    for credential in folder.glob("*.kubeconfig"):  # of a cluster that is no more
        credential.unlink()


@pytest_asyncio.fixture(scope="session")
async def uuids(product: Running, targets: list[TargetCluster]) -> list[str]:
    """The target clusters, registered by REST, ready."""
    rest = Rest(product.rest)
    return [await Stage.register(rest, target) for target in targets]


@pytest_asyncio.fixture
async def stage(
    request: pytest.FixtureRequest,
    product: Running,
    node: Node,
    control_plane: ControlPlane,
    targets: list[TargetCluster],
    uuids: list[str],
    logs: Path,
) -> AsyncIterator[Stage]:
    """All of it for one test, with a namespace for its victims in each target."""
    victims = f"victims-{uuid.uuid4().hex[:6]}"
    for target in targets:
        await target.namespace(victims)
    made = Stage(Rest(product.rest), product, control_plane, node, targets, uuids, victims)
    try:
        yield made
    finally:
        file = logs / "objects" / f"{request.node.name}.json"
        await write_objects(product.cluster, product.namespace, file)
        await made.clear()
