"""Each class of errors as it reaches a caller: by gRPC, and as JSON through the real Envoy.

A real server with the boundary of ours, and one method that raises what a test wants.
"""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import aiohttp
import grpc
import pytest
import pytest_asyncio

from deploy.local.processes.children import Child, Program
from deploy.local.processes.ports import LOOPBACK, free_port
from deploy.local.services import REPOSITORY
from krkn_grpc.edge import local_replies
from krkn_grpc.edge.command import command
from krkn_grpc.edge.files import FOLDER
from krkn_grpc.edge.limits import MAX_BODY_BYTES
from krkn_grpc.edge.render import render
from krkn_grpc.edge.settings import EnvoySettings
from krkn_grpc.resources.violation import Violation
from krkn_grpc.server import errors
from krkn_grpc.server.errors import ANSWERS
from krkn_grpc.server.interceptors.errors import DOMAIN, ErrorInterceptor
from krkn_grpc.server.metadata import Context
from krkn_grpc.v1 import targets_pb2 as pb
from krkn_grpc.v1.targets_pb2_grpc import (
    TargetServiceServicer,
    TargetServiceStub,
    add_TargetServiceServicer_to_server,
)
from tests.integration.errors.cases import CASES, HIDDEN, UUID, VIOLATIONS, Case, Code
from tests.support.rest import (
    BAD_REQUEST,
    ERROR_INFO,
    TARGETS,
    Reply,
    Rest,
    assert_error,
    assert_invalid,
)
from tests.support.rpc import Reason, refused
from tests.support.waiting import eventually

RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: type(case.error).__name__)


class Raising(TargetServiceServicer):
    """Raises whatever is asked."""

    error: Exception = AssertionError("no test said what to raise")

    async def _raise(self, request: object, context: Context) -> NoReturn:
        raise self.error

    CreateTarget = ListTargets = GetTarget = UpdateTarget = DeleteTarget = _raise
    PatchTarget = CheckTarget = _raise

    async def WatchTargets(  # noqa: N802  # the method's name
        self, request: object, context: Context
    ) -> AsyncIterator[pb.WatchTargetsResponse]:
        raise self.error
        yield  # so that it is a stream


@dataclass(frozen=True)
class Failing:
    """The server and both ways to it."""

    servicer: Raising
    channel: grpc.aio.Channel
    rest: Rest

    async def by_grpc(self, error: Exception) -> Reason:
        self.servicer.error = error
        stub = TargetServiceStub(self.channel)
        return await refused(stub.GetTarget(pb.GetTargetRequest(uuid=UUID)))

    async def by_rest(self, error: Exception) -> Reply:
        self.servicer.error = error
        return await self.rest.get(f"{TARGETS}/{UUID}")


@contextlib.asynccontextmanager
async def envoy_before(grpc_port: int, folder: Path) -> AsyncIterator[Rest]:
    """Start Envoy before a server, and give calls through it."""
    rest_port, configuration = free_port(), folder / "envoy.yaml"
    told = {"rest_port": rest_port, "grpc_port": grpc_port, "auth": "none"}
    configuration.write_text(render(EnvoySettings.model_validate(told)))
    envoy = Child(Program("envoy", command(configuration, concurrency=1)), folder / "envoy.log")
    envoy.start()
    try:
        async with aiohttp.ClientSession(f"http://{LOOPBACK}:{rest_port}") as session:
            await eventually(lambda: answers(session))
            yield Rest(session)
    finally:
        await envoy.stop()


async def answers(session: aiohttp.ClientSession) -> bool:
    try:
        async with session.get("/"):
            return True
    except aiohttp.ClientError:
        return False


@pytest_asyncio.fixture(scope="module")
async def failing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Failing]:
    servicer, server = Raising(), grpc.aio.server(interceptors=[ErrorInterceptor()])
    add_TargetServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    await server.start()
    async with (
        envoy_before(port, tmp_path_factory.mktemp("failing")) as rest,
        grpc.aio.insecure_channel(f"{LOOPBACK}:{port}") as channel,
    ):
        yield Failing(servicer, channel, rest)
    await server.stop(None)


def test_every_row_of_the_table_is_tried() -> None:
    assert {type(case.error) for case in CASES} >= set(ANSWERS)


@each_case
async def test_an_error_by_grpc(failing: Failing, case: Case) -> None:
    found = await failing.by_grpc(case.error)
    assert (found.code, found.reason, found.message) == (case.code, case.reason, case.message)
    assert found.retry_seconds == (1 if case.retry else None)
    fields = ["clusterName", "token"] if isinstance(case.error, errors.InvalidRequest) else []
    assert found.violations == fields


@each_case
async def test_an_error_by_rest(failing: Failing, case: Case) -> None:
    reply = await failing.by_rest(case.error)
    body = assert_error(reply, case.http, case.code.value[0], case.reason)
    assert body["message"] == case.message
    others = [detail["@type"] for detail in body["details"][1:]]
    expected = [BAD_REQUEST] if isinstance(case.error, errors.InvalidRequest) else []
    assert others == expected + ([RETRY_INFO] if case.retry else [])
    assert reply.headers.get("retry-after") == ("1" if case.retry else None)
    assert ("www-authenticate" in reply.headers) is (case.http == 401)
    assert not [name for name in reply.headers if name.lower().startswith("grpc-")]
    assert HIDDEN not in reply.text


async def test_the_details_of_an_invalid_request(failing: Failing) -> None:
    reply = await failing.by_rest(errors.InvalidRequest(VIOLATIONS))
    assert reply.body == {
        "code": 3,
        "message": "clusterName: must be there (and 1 more, 2 in all)",
        "details": [
            {
                "@type": ERROR_INFO,
                "reason": "INVALID_REQUEST",
                "domain": "krkn.krkn-chaos.dev",
                "metadata": {},
            },
            {
                "@type": BAD_REQUEST,
                "fieldViolations": [
                    {"field": "clusterName", "description": "must be there", "reason": ""},
                    {"field": "token", "description": "must be there", "reason": ""},
                ],
            },
        ],
    }


@pytest.mark.parametrize("text", ["a" * 400, "\N{ROCKET}" * 400, 'a"\n\x01\\' * 80])
async def test_the_most_and_the_longest_violations_reach_both(failing: Failing, text: str) -> None:
    error = errors.InvalidRequest([Violation(text, text)] * 1000)
    found = await failing.by_grpc(error)
    assert found.code is Code.INVALID_ARGUMENT
    assert 1 <= len(found.violations) <= 20
    assert found.message.endswith("(and 999 more, 1000 in all)")
    assert_error(await failing.by_rest(error), 400, 3, "INVALID_REQUEST")


async def test_a_method_that_is_not_there(failing: Failing) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await failing.channel.unary_unary("/krkn.v1.TargetService/Nothing")(b"")  # type: ignore[arg-type]  # no serializer
    assert failed.value.code() is Code.UNIMPLEMENTED


async def test_a_server_that_is_away_is_an_error_in_the_same_form(tmp_path: Path) -> None:
    async with envoy_before(free_port(), tmp_path) as rest:
        reply = await rest.get(TARGETS)
    body = assert_error(reply, 503, 14, "SERVICE_UNREACHABLE")
    assert body["details"][1:] == [{"@type": RETRY_INFO, "retryDelay": "1s"}]
    assert reply.headers["retry-after"] == "1"


async def test_what_envoy_refuses_by_itself_has_the_form_of_the_servers_errors(
    failing: Failing,
) -> None:
    unknown = await failing.rest.get("/api/v1/nothing")
    assert_error(unknown, 404, 5, "NO_SUCH_PATH")
    misspelt = await failing.rest.get(f"{TARGETS}?pagesize=1")
    assert_invalid(misspelt, "pagesize")
    broken = await failing.rest.post(TARGETS, "no object")
    assert broken.body["message"] == "request body: must be an object"
    too_large = await failing.rest.post(TARGETS, {"token": "x" * (MAX_BODY_BYTES + 1)})
    assert_error(too_large, 413, 3, "REQUEST_TOO_LARGE")


def test_the_domain_of_both_is_one() -> None:
    assert DOMAIN == local_replies.DOMAIN


def test_each_reason_is_documented() -> None:
    scripts = "".join(each.read_text() for each in (FOLDER / "lua").glob("*.lua"))
    reasons = {answer.reason for answer in ANSWERS.values()} | set(
        re.findall(r'(?:reason = |reason or |", )"([A-Z_]{4,})"', scripts)
    )
    reasons |= {each.reason for each in (*local_replies.REFUSALS, local_replies.OTHER)}
    page = (REPOSITORY / "docs/errors.md").read_text()
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == reasons
