"""The admission policies: what kubectl can write is no more than what the service would write."""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from tests.support.accounts import acting_as, make_account, until_bound
from tests.support.custom_objects import GONE, JOBS, TARGETS, assert_refused, store
from tests.support.running import make_namespace, remove_namespace

SERVER = "krkn-grpc-server"
# A job that nobody but the server makes names its call's record.
BY_HAND = {"runId": GONE, "runUID": GONE}
MINE = str(uuid.uuid4())
ONE_TARGET = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "one-target"},
    "rules": [
        {
            "apiGroups": ["krkn.krkn-chaos.dev"],
            "resources": [TARGETS],
            "resourceNames": [MINE],
            "verbs": ["run"],
        },
        {
            "apiGroups": ["krkn.krkn-chaos.dev"],
            "resources": [JOBS],
            "verbs": ["create", "list"],
        },
    ],
}


@pytest_asyncio.fixture(scope="module")
async def namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """A namespace with a runner of every target and one of a single target."""
    cluster, name = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, name)
    await cluster.request(
        "POST", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}/roles", ONE_TARGET
    )
    await make_account(cluster, name, "runner", "krkn-runner")
    await make_account(cluster, name, "one-target-runner", "one-target")
    yield name
    await remove_namespace(cluster, name)


@pytest_asyncio.fixture(scope="module")
async def server(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    """Calls with the server's token."""
    async with acting_as(control_plane, namespace, SERVER) as cluster:
        await until_bound(cluster, namespace)
        yield cluster


@pytest_asyncio.fixture(scope="module")
async def runner(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    """Calls of somebody who may run every target."""
    async with acting_as(control_plane, namespace, "runner") as cluster:
        await until_bound(cluster, namespace)
        yield cluster


@pytest_asyncio.fixture(scope="module")
async def one_target_runner(control_plane: ControlPlane, namespace: str) -> AsyncIterator[Cluster]:
    """Calls of somebody who may run one target only."""
    async with acting_as(control_plane, namespace, "one-target-runner") as cluster:
        await until_bound(cluster, namespace)
        yield cluster


@pytest.mark.parametrize("somebody", ["alice", "system:serviceaccount:team-a:ci", ""])
async def test_the_server_says_for_whom_it_writes_a_job(
    namespace: str, server: Cluster, somebody: str
) -> None:
    job = await store(server, namespace, JOBS, requestedBy=somebody)
    assert job.manifest["spec"]["requestedBy"] == somebody


async def test_others_write_jobs_in_their_own_name_only(namespace: str, runner: Cluster) -> None:
    me = f"system:serviceaccount:{namespace}:runner"
    for name in (me, "", GONE):
        await store(runner, namespace, JOBS, requestedBy=name, **BY_HAND)
    for name in ("alice", f"system:serviceaccount:{namespace}:{SERVER}", me + "2", "system:admin"):
        forged = store(runner, namespace, JOBS, requestedBy=name, **BY_HAND)
        await assert_refused(forged, "can name nobody but yourself", 403)


async def test_a_job_needs_the_right_to_run_its_target(
    namespace: str, one_target_runner: Cluster
) -> None:
    by_hand = {"requestedBy": GONE, **BY_HAND}
    await store(one_target_runner, namespace, JOBS, targetUUID=MINE, **by_hand)
    another = store(one_target_runner, namespace, JOBS, targetUUID=str(uuid.uuid4()), **by_hand)
    await assert_refused(another, "you may not run scenarios on spec.targetUUID", 403)


@pytest.mark.parametrize(
    "fields", [{"runId": MINE}, {"runUID": "a"}, {"runId": MINE, "runUID": "a"}]
)
async def test_only_the_server_says_which_run_a_job_is_of(
    namespace: str, server: Cluster, runner: Cluster, fields: dict[str, str]
) -> None:
    await store(server, namespace, JOBS, **fields)
    forged = store(runner, namespace, JOBS, **{"requestedBy": GONE, **BY_HAND, **fields})
    await assert_refused(forged, "are the service's own", 403)


async def test_the_server_of_another_namespace_is_nobody_here(
    control_plane: ControlPlane, namespace: str
) -> None:
    elsewhere = f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(control_plane.cluster, elsewhere)
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "from-elsewhere", "namespace": namespace},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": "krkn-runner",
        },
        "subjects": [{"kind": "ServiceAccount", "name": SERVER, "namespace": elsewhere}],
    }
    await control_plane.cluster.apply([binding])
    try:
        async with acting_as(control_plane, elsewhere, SERVER) as cluster:
            await until_bound(cluster, namespace)
            forged = store(cluster, namespace, JOBS, requestedBy="alice", **BY_HAND)
            await assert_refused(forged, "can name nobody but yourself", 403)
    finally:
        await remove_namespace(control_plane.cluster, elsewhere)


async def test_a_stop_asks_no_right_to_run(
    namespace: str, server: Cluster, runner: Cluster
) -> None:
    job = await store(server, namespace, JOBS, requestedBy="alice")
    job.cluster = runner
    assert (await job.merge({"spec": {"stop": True}}))["spec"]["stop"] is True


PULL, TOKEN = "kubernetes.io/dockerconfigjson", "kubernetes.io/service-account-token"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("{id}", "Opaque"), ("krkn-job-{id}-inputs", "Opaque"), ("krkn-job-{id}-registry", PULL)],
)
async def test_the_server_creates_the_secrets_that_it_has_a_use_for(
    namespace: str, server: Cluster, name: str, kind: str
) -> None:
    await create_secret(server, namespace, name.format(id=uuid.uuid4()), kind)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("krkn-job-{id}", "Opaque"),
        ("krkn-job-{id}-registry", "Opaque"),
        ("krkn-job-{id}-inputs", PULL),
        ("krkn-job-{id}-inputs", TOKEN),
        ("{id}", TOKEN),
        ("{id}", "bootstrap.kubernetes.io/token"),
        ("{id}-2", "Opaque"),
        ("a-{id}", "Opaque"),
        ("another", "Opaque"),
    ],
)
async def test_the_server_creates_no_other_secret(
    namespace: str, server: Cluster, name: str, kind: str
) -> None:
    created = create_secret(server, namespace, name.format(id=uuid.uuid4()), kind)
    await assert_refused(created, "the server creates only the Secrets of", 403)


@pytest.mark.parametrize("kind", ["Opaque", TOKEN])
async def test_others_create_the_secrets_they_like(
    control_plane: ControlPlane, namespace: str, kind: str
) -> None:
    await create_secret(control_plane.cluster, namespace, f"a-{uuid.uuid4()}", kind)


async def create_secret(cluster: Cluster, namespace: str, name: str, kind: str) -> None:
    """Create a Secret that is right for its type."""
    data = {".dockerconfigjson": "e30="} if kind == PULL else {}
    annotations = {"kubernetes.io/service-account.name": "krkn-grpc-controller"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "annotations": annotations if kind == TOKEN else {}},
        "type": kind,
        "data": data,
    }
    await cluster.request("POST", f"/api/v1/namespaces/{namespace}/secrets", secret)
