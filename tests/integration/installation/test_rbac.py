"""What each account and each ready-made role may do, asked of the API server's own RBAC."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from itertools import product

import pytest
import pytest_asyncio

from deploy.local.cluster.api import Cluster
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.services import REPOSITORY
from tests.support.accounts import make_account
from tests.support.custom_objects import (
    BLACKOUTS,
    HALTS,
    JOBS,
    PROVIDERS,
    REQUESTS,
    RUNS,
    TARGETS,
)
from tests.support.custom_objects import LOGS as JOB_LOGS
from tests.support.running import make_namespace, remove_namespace
from tests.support.waiting import eventually

SERVER, LOGS, CONTROLLER = "krkn-grpc-server", "krkn-grpc-logs", "krkn-grpc-controller"
SCENARIO = "krkn-scenario"

RBAC = REPOSITORY / "deploy" / "rbac"
KRKN = "krkn.krkn-chaos.dev"
READ = "get list watch"
KINDS = (PROVIDERS, TARGETS, REQUESTS, JOBS, JOB_LOGS, RUNS, HALTS, BLACKOUTS)
VERBS = [*READ.split(), "create", "update", "patch", "delete", "deletecollection"]
VERBS += ["run", "escalate", "bind", "impersonate"]
ALERTS = "krknchaosalerts"  # no kind, but a name for a right
RESOURCES = [
    "/secrets",
    "/pods",
    "/pods/log",
    "/pods/exec",
    "/pods/attach",
    "/pods/portforward",
    "/pods/ephemeralcontainers",
    "/pods/eviction",
    "/pods/binding",
    "/pods/status",
    "/configmaps",
    "/events",
    "/serviceaccounts",
    "/serviceaccounts/token",
    "/nodes",
    "/namespaces",
    "events.k8s.io/events",
    "coordination.k8s.io/leases",
    "apps/deployments",
    "batch/jobs",
    "networking.k8s.io/networkpolicies",
    "rbac.authorization.k8s.io/roles",
    "rbac.authorization.k8s.io/rolebindings",
    "rbac.authorization.k8s.io/clusterroles",
    "rbac.authorization.k8s.io/clusterrolebindings",
    "apiextensions.k8s.io/customresourcedefinitions",
    "admissionregistration.k8s.io/validatingadmissionpolicies",
    "authentication.k8s.io/tokenreviews",
    "authorization.k8s.io/subjectaccessreviews",
    "authorization.k8s.io/localsubjectaccessreviews",
    *(f"{KRKN}/{plural}" for plural in (*KINDS, ALERTS)),
    *(f"{KRKN}/{plural}/status" for plural in KINDS),
    f"{KRKN}/{JOBS}/log",
]

REVIEWS = {
    "authentication.k8s.io/tokenreviews": "create",
    "authorization.k8s.io/subjectaccessreviews": "create",
}
# All that each may do in its own namespace; every verb on every resource above is asked.
MAY = {
    SERVER: {
        "/secrets": "create",
        "/namespaces": "get",  # its own
        "coordination.k8s.io/leases": "create get update delete",
        f"{KRKN}/{TARGETS}": f"create {READ} update delete",
        f"{KRKN}/{TARGETS}/status": "update",
        f"{KRKN}/{REQUESTS}": f"create {READ} delete",
        f"{KRKN}/{PROVIDERS}": "list",
        f"{KRKN}/{JOBS}": f"create {READ} patch",
        f"{KRKN}/{RUNS}": f"create {READ} patch",
        f"{KRKN}/{HALTS}": f"create {READ} delete",
        **REVIEWS,
    },
    LOGS: {
        "/namespaces": "get",  # its own
        "/pods": "get",
        "/pods/log": "get",
        f"{KRKN}/{JOBS}": READ,
        f"{KRKN}/{JOB_LOGS}": "get",
        f"{KRKN}/{RUNS}": "get",
        **REVIEWS,
    },
    CONTROLLER: {
        "/secrets": "create get list patch delete",
        "/pods": f"create {READ} patch delete",
        "/pods/log": "get",
        "events.k8s.io/events": "create",
        "networking.k8s.io/networkpolicies": "create get delete",
        "coordination.k8s.io/leases": "create get list update delete",
        f"{KRKN}/{PROVIDERS}": f"create {READ} patch",
        f"{KRKN}/{PROVIDERS}/status": "update",
        f"{KRKN}/{REQUESTS}": f"{READ} patch delete",
        f"{KRKN}/{REQUESTS}/status": "patch",
        f"{KRKN}/{TARGETS}": f"{READ} delete",
        f"{KRKN}/{TARGETS}/status": "update",
        f"{KRKN}/{JOBS}": f"{READ} delete",
        f"{KRKN}/{JOBS}/status": "update",
        f"{KRKN}/{JOB_LOGS}": f"create {READ} delete",
        f"{KRKN}/{RUNS}": f"{READ} delete",
        f"{KRKN}/{RUNS}/status": "patch",
        f"{KRKN}/{HALTS}": READ,
        f"{KRKN}/{HALTS}/status": "update",
        f"{KRKN}/{BLACKOUTS}": READ,
        f"{KRKN}/{BLACKOUTS}/status": "update",
    },
    SCENARIO: {},
    "krkn-viewer": {
        f"{KRKN}/{PROVIDERS}": READ,
        f"{KRKN}/{TARGETS}": READ,
        f"{KRKN}/{REQUESTS}": READ,
        f"{KRKN}/{JOBS}": READ,
        f"{KRKN}/{BLACKOUTS}": READ,
        f"{KRKN}/{RUNS}": READ,
    },
    "krkn-runner": {
        f"{KRKN}/{TARGETS}": f"{READ} run",
        f"{KRKN}/{REQUESTS}": "create get delete",
        f"{KRKN}/{JOBS}": f"create {READ} update patch",
        f"{KRKN}/{JOBS}/log": "get",
        f"{KRKN}/{RUNS}": f"{READ} update patch",
    },
    "krkn-target-admin": {
        f"{KRKN}/{TARGETS}": f"create {READ} update patch delete",
    },
    "krkn-halter": {
        f"{KRKN}/{HALTS}": "create list delete",
    },
    "krkn-alerter": {
        f"{KRKN}/{ALERTS}": "create",
    },
}


@pytest_asyncio.fixture(scope="module")
async def namespace(control_plane: ControlPlane) -> AsyncIterator[str]:
    """A namespace with our roles, and an account for each of the ready-made ones."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(control_plane.cluster, name, [RBAC])
    for role in MAY.keys() - {SERVER, LOGS, CONTROLLER, SCENARIO}:
        await make_account(control_plane.cluster, name, role, role)
    yield name
    await remove_namespace(control_plane.cluster, name)


async def allowed(
    cluster: Cluster, account: tuple[str, str], namespace: str
) -> dict[str, set[str]]:
    """Ask for every verb on every resource in the namespace ("" is all); return what is allowed."""
    pairs = list(product(RESOURCES, VERBS))
    answers = await asyncio.gather(
        *(is_allowed(cluster, account, namespace, resource, verb) for resource, verb in pairs)
    )
    found: dict[str, set[str]] = {}
    for (resource, verb), answer in zip(pairs, answers, strict=True):
        if answer:
            found.setdefault(resource, set()).add(verb)
    return found


async def is_allowed(
    cluster: Cluster, account: tuple[str, str], namespace: str, resource: str, verb: str
) -> bool:
    """Ask one SubjectAccessReview for the account (namespace, name)."""
    group, name, *subresource = resource.split("/")
    home, user = account
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{home}:{user}",
            "groups": [
                "system:serviceaccounts",
                f"system:serviceaccounts:{home}",
                "system:authenticated",
            ],
            "resourceAttributes": {
                "namespace": namespace,
                "verb": verb,
                "group": group,
                "resource": name,
                "subresource": "/".join(subresource),
            },
        },
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    answer: bool = (await cluster.request("POST", path, review))["status"]["allowed"]
    return answer


def as_sets(table: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """The table with each row's verbs as a set."""
    return {resource: set(verbs.split()) for resource, verbs in table}


@pytest.mark.parametrize("account", MAY)
async def test_an_account_may_do_this_and_nothing_else(
    control_plane: ControlPlane, namespace: str, account: str
) -> None:
    async def look() -> dict[str, set[str]]:
        return await allowed(control_plane.cluster, (namespace, account), namespace)

    # RBAC learns of a new binding a moment after it is written.
    await eventually(look, lambda found: found == as_sets(MAY[account].items()), pause=0.5)


@pytest.mark.parametrize("account", MAY)
@pytest.mark.parametrize("elsewhere", ["kube-system", ""], ids=["another-namespace", "all"])
async def test_an_account_may_do_nothing_elsewhere(
    control_plane: ControlPlane, namespace: str, account: str, elsewhere: str
) -> None:
    found = await allowed(control_plane.cluster, (namespace, account), elsewhere)
    # Reviews belong to no namespace: they answer questions and show no object.
    assert found == (as_sets(REVIEWS.items()) if account in {SERVER, LOGS} else {})
