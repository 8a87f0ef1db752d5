"""Each row of the table of answers: made to happen on a real API server where one can be brought to
it, and given in its place, by a proxy before it, where it is about to start or to fail.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster import kubeconfig
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.kube import errors
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.answers import TABLE, Status, row_for
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import KubeError
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.meta import ObjectMeta
from tests.integration.kube import refusals
from tests.integration.kube.refusals import World
from tests.integration.runs.held import a_proxy
from tests.support.api_proxy import Call, Refused
from tests.support.cluster_rules import SAID, a_policy


@pytest_asyncio.fixture
async def world(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> AsyncIterator[World]:
    async with Session(await ClusterAccess.load(control_plane.admin_kubeconfig)) as session:
        yield World(control_plane.cluster, namespace, session, tmp_path)


REAL = [
    (refusals.forbidden_by_a_policy, errors.Forbidden, "a rule of the cluster"),
    (refusals.invalid_by_a_policy, errors.RuleBroken, "a rule of the cluster"),
    (refusals.too_large_by_a_policy, errors.RuleBroken, "a rule of the cluster"),
    (refusals.changed_by_a_policy, errors.RuleBroken, "a rule of the cluster"),
    (refusals.webhook_away, errors.WebhookAway, "an admission webhook does not answer"),
    (refusals.webhook_away_at_a_patch, errors.WebhookAway, "an admission webhook does not answer"),
    (refusals.namespace_ends, errors.NamespaceGone, "a namespace that ends"),
    (refusals.no_namespace, errors.NamespaceGone, "no such namespace"),
    (refusals.quota_busy, errors.QuotaBusy, "the quota changed at the same moment"),
    (refusals.quota_not_counted, errors.QuotaBusy, "the quota is not counted yet"),
    (refusals.quota_used_up, errors.QuotaExceeded, "a quota that is used up"),
    (refusals.no_role, errors.NotAuthorized, "no role allows it"),
    # It cannot ask either whether the API server is only starting, so it is to be tried again.
    (refusals.not_known, errors.NotWritten, "our account is not known"),
    (refusals.taken, errors.AlreadyExists, "the name is taken"),
    (refusals.not_found, errors.NotFound, "no such object"),
    (refusals.old_version, errors.Conflict, "not the version that was seen"),
    (refusals.another_uid, errors.Conflict, "not the version that was seen"),
    (refusals.old_page, errors.Invalid, "not to be read"),
    (refusals.not_valid, errors.Invalid, "not valid"),
    (refusals.not_to_be_read, errors.Invalid, "not to be read"),
    (refusals.too_large_for_etcd, errors.Invalid, "too large for etcd"),
    (refusals.too_large_for_the_api_server, errors.Invalid, "too large"),
    (refusals.no_such_method, errors.Invalid, "no such call"),
    (refusals.no_such_format, errors.Invalid, "no such call"),
    (refusals.no_such_path, errors.Unreadable, "nothing at this path"),
]
EXCEEDED = "Internal error occurred: resource quota evaluation timed out"
STARTING = 'leases "a" is forbidden: not yet ready to handle request'
NO_PATHS = (
    "The request has been made before all known HTTP paths have been installed, please try again"
)
NO_ROOM = "etcdserver: mvcc: database space exceeded"
DENIED = 'admission webhook "x.example" denied the request: no'
GIVEN = [
    (500, "InternalError", EXCEEDED, errors.QuotaBusy, "the quota was not counted in time"),
    (403, "Forbidden", STARTING, errors.NotWritten, "the API server's admission is starting"),
    (
        503,
        "ServiceUnavailable",
        NO_PATHS,
        errors.NotWritten,
        "the API server's paths are not all there yet",
    ),
    (500, "", NO_ROOM, errors.NotWritten, "etcd has no room left"),
    (429, "TooManyRequests", "", errors.NotWritten, "throttled"),
    (409, "Conflict", "", errors.QuotaBusy, "a conflict before there is an object"),
    (409, "", "", errors.QuotaBusy, "a conflict before there is an object"),
    (403, "Forbidden", DENIED, errors.Forbidden, "a rule of the cluster"),
    (400, "", DENIED, errors.RuleBroken, "a rule of the cluster"),
    (418, "Teapot", DENIED, errors.RuleBroken, "a rule of the cluster"),
    (500, "", "etcdserver: request is too large", errors.Invalid, "too large for etcd"),
    (410, "Expired", "", errors.Expired, "too old"),
    (410, "Gone", "", errors.Expired, "too old"),
    (410, "", "", errors.Expired, "too old"),
    (400, "", "", errors.Invalid, "not to be read"),
    (401, "", "", errors.NotWritten, "our account is not known"),
    (403, "", "", errors.Forbidden, "forbidden"),
    (404, "", "", errors.Unreadable, "nothing at this path"),
    (405, "", "", errors.Invalid, "no such call"),
    (406, "", "", errors.Invalid, "no such call"),
    (415, "", "", errors.Invalid, "no such call"),
    (413, "", "", errors.Invalid, "too large"),
    (422, "", "", errors.Invalid, "not valid"),
    (429, "", "", errors.NotWritten, "throttled"),
    (500, "InternalError", "anything", errors.OutcomeUnknown, "what became of it is not known"),
    (500, "InternalError", "conversion webhook for x failed", errors.OutcomeUnknown, ""),
    (500, "ServerTimeout", "", errors.OutcomeUnknown, ""),
    (503, "ServiceUnavailable", "", errors.OutcomeUnknown, ""),
    (504, "Timeout", "", errors.OutcomeUnknown, ""),
    (502, "", "", errors.OutcomeUnknown, ""),
    (418, "Teapot", "", errors.OutcomeUnknown, ""),
]


@pytest.mark.parametrize(("happens", "kind", "name"), REAL, ids=[row[0].__name__ for row in REAL])
async def test_what_a_real_api_server_answers(
    world: World, happens: Callable[[World], Awaitable[KubeError]], kind: type[KubeError], name: str
) -> None:
    error = await happens(world)
    assert (type(error), f"({name})" in str(error)) == (kind, True), error


@pytest.mark.parametrize(("code", "reason", "message", "kind", "name"), GIVEN)
async def test_what_one_that_starts_or_fails_answers(
    control_plane: ControlPlane,
    world: World,
    code: int,
    reason: str,
    message: str,
    kind: type[KubeError],
    name: str,
) -> None:
    async def gate(call: Call) -> None:
        raise Refused(code, reason, message)

    async with a_proxy(control_plane) as proxy:
        proxy.before = gate
        path = kubeconfig.write(world.folder / "a", url=proxy.url, ca_pem="", user={"token": "a"})
        async with Session(await ClusterAccess.load(path)) as session:
            leases = ResourceClient(session, Lease, world.namespace)
            error = await world.told(lambda: leases.create(refusals.a_lease()))
    assert (type(error), name in str(error)) == (kind, True), error


def test_every_row_is_tried() -> None:
    given = [
        row_for("POST", code, Status(reason=reason, message=said))
        for code, reason, said, *_ in GIVEN
    ]
    real = {name for _, _, name in REAL}
    assert [row for row in TABLE if row not in given and row.name not in real] == []


async def test_what_a_secret_holds_is_not_repeated(world: World) -> None:
    """A policy may say anything of what it sees, and the API server what it cannot read."""
    secrets = ResourceClient(world.session, Secret, world.namespace)
    secret = Secret(metadata=ObjectMeta(name="a"), string_data={"password": "hunter22"})
    says = "'it is ' + string(object.data.password)"
    async with a_policy(
        world.cluster, world.namespace, "secrets", "Invalid", message_expression=says
    ):
        denied = await world.told(lambda: secrets.create(secret))
    path = f"/api/v1/namespaces/{world.namespace}/secrets"
    body = b'{"kind": "Secret", "data": {"password": hunter22'
    unread = await world.told(lambda: world.session.call("POST", path, body=body))
    for error in (denied, unread):
        assert "(" in str(error)
        assert "hunter22" not in str(error)
        assert "aHVudGVyMjI=" not in str(error)
    assert isinstance(denied, errors.RuleBroken)
    assert SAID not in str(denied)
