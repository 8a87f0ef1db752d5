"""What tests start: a real control plane once a session, a namespace a test, real processes.

Nothing is started before a test asks for it, so the unit tests start nothing.
"""

import contextlib
import gc
import os
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from xdist.remote import Producer

from deploy.local.browser import browser_program
from deploy.local.cluster import manifests
from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.errors import StartError
from deploy.local.go.build import FULL, Binaries, control_plane_binaries
from deploy.local.go.tools import tools
from deploy.local.progress import Progress
from deploy.local.prometheus.programs import prometheus_programs
from deploy.local.services import REPOSITORY
from tests.support import browser as browsers
from tests.support import client_programs, extensions, monitoring, recipes
from tests.support.running import (
    CLUSTER_WIDE,
    Running,
    Wanted,
    make_namespace,
    remove_namespace,
    running,
)
from tests.support.side_by_side import FolderScheduling

# How long an example takes says nothing on a busy machine.
hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tests")

DEPLOY = REPOSITORY / "deploy"
# Each changes what the command does or how it prints, and a pipeline sets some of them: tests see
# none but those that they set.
_CHANGE_COMMANDS = (
    *("CI", "GITHUB_ACTIONS", "KUBECONFIG"),
    *("COLUMNS", "LINES", "TERMINAL_WIDTH", "NO_COLOR", "FORCE_COLOR", "PY_COLORS"),
)
for _name in _CHANGE_COMMANDS:
    os.environ.pop(_name, None)
_UUID = re.compile("[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
StartServices = Callable[[Wanted], Awaitable[Running]]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FolderScheduling:
    """Spread the tests over the processes that `--numprocesses` asks for."""
    return FolderScheduling(config, log)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a case with a random UUID in it the same in each process, and in the next run."""
    return _UUID.sub("uuid", val) if isinstance(val, str) and _UUID.search(val) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report a test without garbage collection.

    For a failure pytest parses source code. In Python 3.11 that fails ("AST constructor recursion
    depth mismatch"), and the whole session with it, when a finalizer that the collector runs in the
    meantime parses code too: to log a traceback is enough.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


# What fixtures need, by name, and how it is built or fetched where it is missing.
_BUILDS: dict[str, Callable[[], object]] = {
    "binaries": lambda: control_plane_binaries(FULL, Progress()),
    "browser": lambda: browser_program(Progress()),
    "chart": lambda: tools(["helm", "kustomize"], Progress()),
    "programs_of_prometheus": lambda: prometheus_programs(Progress()),
    "monitored_cluster": monitoring.definitions,
    "extended_cluster": extensions.definitions,
    "client_packages": client_programs.prepare,
    "recipe_linters": recipes.prepare,
}


def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Build what is missing before the processes start: all would wait for it, unseen."""
    _build(config, _BUILDS.keys())


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the tests will need and is missing."""
    if not session.config.option.collectonly:
        fixtures = {name for item in session.items for name in getattr(item, "fixturenames", ())}
        _build(session.config, fixtures & _BUILDS.keys())


def _build(config: pytest.Config, fixtures: Iterable[str]) -> None:
    # Not in a fixture: it takes longer than any test may, and a person wants to see how far it is.
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        try:
            for name in fixtures:
                _BUILDS[name]()
        except StartError as error:
            raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """The control plane's binaries."""
    return control_plane_binaries(FULL, Progress())


@pytest.fixture(scope="session")
def client_packages() -> None:
    """Say that a test needs what the clients in other languages are made with."""
    client_programs.prepare()


@pytest.fixture(scope="session")
def recipe_linters() -> None:
    """Say that a test needs the linters of the CI recipes."""
    recipes.prepare()


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[browsers.Browser]:
    """A real browser, without a window."""
    async with browsers.browser() as started:
        yield started


@pytest_asyncio.fixture
async def tab(browser: browsers.Browser) -> AsyncIterator[browsers.Tab]:
    """A tab of the browser, 1280 pixels wide; it reaches this machine alone."""
    async with browser.tab() as opened:
        yield opened


@pytest_asyncio.fixture(scope="session")
async def control_plane(binaries: Binaries) -> AsyncIterator[ControlPlane]:
    """The cluster that the product runs on, with our CRDs and admission policies."""
    async with ControlPlane(binaries, crds=CLUSTER_WIDE) as started:
        yield started


@pytest.fixture(scope="session")
def programs_of_prometheus() -> Binaries:
    """`prometheus` and `promtool`."""
    return prometheus_programs(Progress())


@pytest_asyncio.fixture(scope="session")
async def monitored_cluster(control_plane: ControlPlane) -> Cluster:
    """The cluster, with the resource definitions of the Prometheus operator."""
    await control_plane.cluster.apply(manifests.load(*monitoring.definitions()))
    return control_plane.cluster


@pytest_asyncio.fixture(scope="session")
async def extended_cluster(control_plane: ControlPlane) -> Cluster:
    """The cluster, with resource definitions of Istio, the Gateway API and cert-manager."""
    await control_plane.cluster.apply(extensions.definitions())
    return control_plane.cluster


@pytest_asyncio.fixture(scope="session")
async def target_cluster(binaries: Binaries) -> AsyncIterator[ControlPlane]:
    """Another cluster, only an API server: something to register as a target."""
    async with ControlPlane(binaries, only_api_server=True) as started:
        yield started


@pytest_asyncio.fixture
async def namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """A new namespace with our accounts and roles; it goes when the test ends."""
    async with _namespace(control_plane) as name:
        yield name


@pytest_asyncio.fixture
async def start_services(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> AsyncIterator[StartServices]:
    """Start server, controller and Envoy as a test wants them, more than once if it likes."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(wanted: Wanted) -> Running:
            folder = tmp_path / f"services-{uuid.uuid4().hex[:6]}"
            folder.mkdir()
            return await stack.enter_async_context(
                running(control_plane.cluster, namespace, folder, wanted)
            )

        yield start


@pytest_asyncio.fixture
async def services(start_services: StartServices) -> Running:
    """Server, controller and Envoy for this test alone: it may kill and pause them."""
    return await start_services(Wanted())


@pytest_asyncio.fixture(scope="session")
async def page_services(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Server, controller, and Envoy with the page, for all tests that know their own objects."""
    folder = tmp_path_factory.mktemp("page-services")
    async with (
        _namespace(control_plane) as name,
        running(control_plane.cluster, name, folder, Wanted(page=True)) as started,
    ):
        yield started


@pytest_asyncio.fixture(scope="session")
async def shared_services(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Server, controller and Envoy for all tests that do them no harm and know their own objects.

    They start once a session: use these unless the test needs processes of its own.
    """
    folder = tmp_path_factory.mktemp("shared-services")
    async with (
        _namespace(control_plane) as name,
        running(control_plane.cluster, name, folder, Wanted()) as started,
    ):
        yield started


@contextlib.asynccontextmanager
async def _namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    name = f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(control_plane.cluster, name)
    try:
        yield name
    finally:
        await remove_namespace(control_plane.cluster, name)
