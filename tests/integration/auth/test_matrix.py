"""Every method of the protos called by everybody: who gets in, and who leaves with what code."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import product
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc import StatusCode

from tests.integration.auth.callers import Callers, Metadata, bearer, make_callers
from tests.integration.auth.calls import METHODS, call
from tests.integration.auth.conftest import Guarded
from tests.support.running import make_namespace, remove_namespace

# Who may call what, and what a request for nothing in particular is answered then.
ALL = "viewer runner target-admin"
MAY = {
    "CreateTarget": ("target-admin", StatusCode.INVALID_ARGUMENT),
    "ListTargets": (ALL, StatusCode.OK),
    "GetTarget": (ALL, StatusCode.NOT_FOUND),
    "UpdateTarget": ("target-admin", StatusCode.INVALID_ARGUMENT),
    "PatchTarget": ("target-admin", StatusCode.NOT_FOUND),
    "CheckTarget": ("target-admin", StatusCode.NOT_FOUND),
    "WatchTargets": (ALL, StatusCode.OK),
    "DeleteTarget": ("target-admin", StatusCode.NOT_FOUND),
    "DiscoverTargets": ("runner", StatusCode.OK),
    "GetDiscovery": ("viewer runner", StatusCode.NOT_FOUND),
    "ListClusters": ("viewer runner", StatusCode.NOT_FOUND),
    "DeleteDiscovery": ("runner", StatusCode.NOT_FOUND),
    "RunScenario": ("runner", StatusCode.INVALID_ARGUMENT),
    "ListScenarioRuns": ("viewer runner", StatusCode.OK),
    "GetScenarioRunStatus": ("viewer runner", StatusCode.NOT_FOUND),
    "StopScenarioRun": ("runner", StatusCode.NOT_FOUND),
    "StreamLogs": ("runner", StatusCode.NOT_FOUND),
    "WatchScenarioRuns": ("viewer runner", StatusCode.OK),
    "ListRuns": ("viewer runner", StatusCode.OK),
    "GetRun": ("viewer runner", StatusCode.NOT_FOUND),
    "StopRun": ("runner", StatusCode.NOT_FOUND),
    "RerunRun": ("runner", StatusCode.NOT_FOUND),
    "StreamRunLogs": ("runner", StatusCode.NOT_FOUND),
    "StreamRunLogsAsText": ("runner", StatusCode.NOT_FOUND),
    "CreateHalt": ("halter", StatusCode.INVALID_ARGUMENT),
    "ListHalts": ("halter", StatusCode.OK),
    "DeleteHalt": ("halter", StatusCode.NOT_FOUND),
    "ReceiveAlerts": ("alerter", StatusCode.INVALID_ARGUMENT),
}
# What a caller may do who is known and has no role.
FOR_ALL = {
    "ListScenarios": StatusCode.OK,
    "GetScenario": StatusCode.NOT_FOUND,
    "GetScenarioGlobals": StatusCode.NOT_FOUND,
    "GetAccess": StatusCode.OK,
}
OPEN = {"GetHealth"}
ROLES = ["viewer", "runner", "target-admin", "halter", "alerter", "nobody"]


def test_the_table_knows_every_method() -> None:
    assert MAY.keys() | FOR_ALL.keys() | OPEN == METHODS.keys()


@pytest.mark.parametrize(("account", "method"), list(product(ROLES, MAY)))
async def test_an_account_may_what_its_role_says(
    guarded: Guarded, account: str, method: str
) -> None:
    roles, code = MAY[method]
    is_allowed = account in roles.split()
    found = await call(guarded.running.channel, method, await guarded.callers.metadata(account))
    assert found.code is (code if is_allowed else StatusCode.PERMISSION_DENIED), found


@pytest.mark.parametrize("method", [each for each in FOR_ALL if each != "GetAccess"])
async def test_who_is_known_needs_no_role_for_the_catalogue(guarded: Guarded, method: str) -> None:
    nobody = await guarded.callers.metadata("nobody")
    with guarded.watched() as asked:
        found = await call(guarded.running.channel, method, nobody)
    assert found.code is FOR_ALL[method], found
    assert not asked.reviews("subjectaccessreviews")


@pytest_asyncio.fixture(scope="module")
async def elsewhere(guarded_services: Guarded) -> AsyncIterator[Callers]:
    """Accounts of the same names and roles, in another namespace."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    control_plane = guarded_services.callers.control_plane
    await make_namespace(control_plane.cluster, name)
    yield await make_callers(control_plane, name)
    await remove_namespace(control_plane.cluster, name)


@pytest.mark.parametrize(("account", "method"), list(product(ROLES, MAY)))
async def test_roles_of_another_namespace_count_nothing(
    guarded: Guarded, elsewhere: Callers, account: str, method: str
) -> None:
    found = await call(guarded.running.channel, method, await elsewhere.metadata(account))
    assert found.code is StatusCode.PERMISSION_DENIED, found


Maker = Callable[[Callers], Awaitable[Metadata]]


async def without(callers: Callers) -> Metadata:
    """No header."""
    return ()


async def made_up(callers: Callers) -> Metadata:
    """A token that nobody gave."""
    return bearer(uuid.uuid4().hex)


async def tampered(callers: Callers) -> Metadata:
    """Another signature."""
    token = await callers.token("runner")
    return bearer(token[:-8] + ("A" * 8 if not token.endswith("A" * 8) else "B" * 8))


async def for_another(callers: Callers) -> Metadata:
    """The API server's own audience."""
    return bearer(await callers.wrong_audience("runner"))


async def expired(callers: Callers) -> Metadata:
    """Over for two minutes."""
    return bearer(await callers.signed_again("runner", expires_in=-120))


async def twice(callers: Callers) -> Metadata:
    """Two headers, each with a good token."""
    return (await callers.metadata("runner")) * 2


async def password(callers: Callers) -> Metadata:
    """Basic authentication."""
    return (("authorization", "Basic YWRtaW46YWRtaW4="),)


STRANGERS = [without, made_up, tampered, for_another, expired, twice, password]


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("method", [*MAY, *FOR_ALL])
async def test_strangers_are_told_that_they_are(
    guarded: Guarded, stranger: Maker, method: str
) -> None:
    found = await call(guarded.running.channel, method, await stranger(guarded.callers))
    assert found.code is StatusCode.UNAUTHENTICATED, found


async def test_only_its_end_makes_the_expired_token_a_strangers(guarded: Guarded) -> None:
    token = await guarded.callers.signed_again("runner", expires_in=600)
    found = await call(guarded.running.channel, "ListTargets", bearer(token))
    assert found.code is StatusCode.OK, found


@pytest.mark.parametrize("method", OPEN)
async def test_what_is_open_asks_for_nothing(guarded: Guarded, method: str) -> None:
    assert (await call(guarded.running.channel, method)).code is StatusCode.OK


@pytest.mark.parametrize(
    "path",
    [
        "/krkn.v1.TargetService/Nothing",
        "/krkn.v1.Nothing/GetTarget",
        "/KRKN.V1.TargetService/ListTargets",
        "/krkn.v1.TargetService/ListTargets/",
        "//krkn.v1.TargetService/ListTargets",
        "/krkn.v1.TargetService/../krkn.v1.TargetService/ListTargets",
        "/api/v1/operator/targets",
    ],
)
async def test_what_has_no_rule_is_not_there(guarded: Guarded, path: str) -> None:
    unary: Any = guarded.running.channel.unary_unary(path)
    for metadata in ((), await guarded.callers.metadata("runner")):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await unary(b"", metadata=metadata)
        assert refused.value.code() is StatusCode.UNIMPLEMENTED
