"""The admission policy of runs: only the service makes them; a stop names who asks for it."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from tests.support.accounts import acting_as, make_account, until_bound
from tests.support.custom_objects import GONE, RUNS, Stored, assert_refused, store
from tests.support.running import make_namespace, remove_namespace

SERVER = "krkn-grpc-server"
RESTORER = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "restorer"},
    "rules": [
        {
            "apiGroups": ["krkn.krkn-chaos.dev"],
            "resources": [RUNS],
            "verbs": ["create", "list", "delete"],
        }
    ],
}
MAKER = {
    **RESTORER,
    "metadata": {"name": "maker"},
    "rules": [{**RESTORER["rules"][0], "verbs": ["create", "list"]}],  # type: ignore[index]
}


@pytest_asyncio.fixture(scope="module")
async def namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """A namespace with a runner, one who may create runs, and one who may delete them too."""
    cluster, name = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, name)
    roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/roles"
    for role in (RESTORER, MAKER):
        await cluster.request("POST", roles, role)
    for account, role_name in (
        ("runner", "krkn-runner"),
        ("restorer", "restorer"),
        ("maker", "maker"),
    ):
        await make_account(cluster, name, account, role_name)
    yield name
    await remove_namespace(cluster, name)


async def acting(
    control_plane: ControlPlane, namespace: str, account: str
) -> AsyncIterator[Cluster]:
    """Calls of an account."""
    async with acting_as(control_plane, namespace, account) as cluster:
        await until_bound(cluster, namespace, RUNS)
        yield cluster


@pytest_asyncio.fixture(scope="module")
async def server(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    """Calls with the server's token."""
    async for cluster in acting(control_plane, namespace, SERVER):
        yield cluster


@pytest_asyncio.fixture(scope="module")
async def runner(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    """Calls of somebody who may stop runs."""
    async for cluster in acting(control_plane, namespace, "runner"):
        yield cluster


@pytest_asyncio.fixture(scope="module")
async def restorer(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    """Calls of somebody who may delete runs."""
    async for cluster in acting(control_plane, namespace, "restorer"):
        yield cluster


@pytest_asyncio.fixture(scope="module")
async def maker(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    """Calls of somebody whom RBAC lets create runs."""
    async for cluster in acting(control_plane, namespace, "maker"):
        yield cluster


async def a_run(server: Cluster, namespace: str, by: Cluster) -> Stored:
    """A run that the server made, in the hands of another."""
    run = await store(server, namespace, RUNS, requestedBy="alice", stop=GONE)
    run.cluster = by
    return run


async def test_the_server_makes_runs_for_anybody(namespace: str, server: Cluster) -> None:
    run = await store(server, namespace, RUNS, requestedBy="alice")
    assert run.manifest["spec"]["requestedBy"] == "alice"


async def test_nobody_else_makes_one(namespace: str, maker: Cluster) -> None:
    for stop in (GONE, {"reason": "StopRequested"}):
        made = store(maker, namespace, RUNS, stop=stop)
        await assert_refused(made, "only the service makes runs", 403)


async def test_but_for_those_who_restore_a_backup(namespace: str, restorer: Cluster) -> None:
    run = await store(restorer, namespace, RUNS, requestedBy="alice")
    assert run.manifest["spec"]["stop"]["by"] == "krkn-grpc-local-admin"


@pytest.mark.parametrize("by", ["myself", "", None])
async def test_who_stops_a_run_says_so_or_nothing(
    namespace: str, server: Cluster, runner: Cluster, by: str | None
) -> None:
    run = await a_run(server, namespace, runner)
    stop = {"reason": "StopRequested", "message": "enough"}
    if by is not None:
        stop["by"] = f"system:serviceaccount:{namespace}:runner" if by else ""
    stopped = await run.merge({"spec": {"stop": stop}})
    assert stopped["spec"]["stop"] == stop


@pytest.mark.parametrize("by", ["alice", "system:serviceaccount:{}:runner2", "system:admin"])
async def test_nobody_stops_a_run_in_the_name_of_another(
    namespace: str, server: Cluster, runner: Cluster, by: str
) -> None:
    run = await a_run(server, namespace, runner)
    stop = {"reason": "StopRequested", "by": by.format(namespace)}
    await assert_refused(
        run.merge({"spec": {"stop": stop}}), "spec.stop.by can name nobody but yourself", 403
    )


async def test_the_server_stops_in_the_name_of_its_caller(namespace: str, server: Cluster) -> None:
    run = await a_run(server, namespace, server)
    stop = {"reason": "StopRequested", "by": "alice"}
    assert (await run.merge({"spec": {"stop": stop}}))["spec"]["stop"] == stop


async def test_a_run_that_another_has_stopped_can_be_labelled(
    namespace: str, server: Cluster, runner: Cluster
) -> None:
    run = await a_run(server, namespace, server)
    await run.merge({"spec": {"stop": {"reason": "AbortCondition", "by": "alice"}}})
    run.cluster = runner
    changed = await run.merge({"metadata": {"labels": {"seen": "yes"}}})
    assert changed["metadata"]["labels"]["seen"] == "yes"
