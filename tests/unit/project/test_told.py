"""What is said of errors, and what a log line never has."""

import base64
import json
import os
import subprocess
import sys

import aiohttp
import msgspec
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from krkn_grpc.kube.errors import NotFound
from krkn_grpc.told import told, without_credentials

SECRET = "s3cr3t-of-ours-1234567"  # pragma: allowlist secret
KEY = "PRIVATE KEY-----"
JWT = ".".join(  # made up, like all that is secret here
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"none"}', b'{"sub":"somebody"}', b"signature")
)


def response_error(message: str) -> aiohttp.ClientResponseError:
    headers = CIMultiDictProxy(CIMultiDict({"Authorization": f"Bearer {SECRET}"}))
    url = URL("https://10.0.0.1/api")
    request = aiohttp.RequestInfo(url, "GET", headers, url)
    return aiohttp.ClientResponseError(request, (), status=400, message=message)


def a_key_error() -> Exception:
    known: dict[str, Exception] = {}
    try:
        return known[SECRET]
    except KeyError as error:
        return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotFound("404 NotFound (no such object)"), "NotFound: 404 NotFound (no such object)"),
        (response_error("Bad\n  status line"), "ClientResponseError: 400 Bad status line"),
        (response_error(f"header: Bearer {SECRET}"), "ClientResponseError: 400 header: Bearer ***"),
        (ConnectionResetError(104, "reset"), "ConnectionResetError: [Errno 104] reset"),
        (TimeoutError(), "TimeoutError"),
        (msgspec.ValidationError("Expected `str`"), "ValidationError: Expected `str`"),
        (ValueError(SECRET), "ValueError"),
        (ExceptionGroup(SECRET, [TimeoutError(), NotFound("a")]), "TimeoutError; NotFound: a"),
    ],
)
def test_what_is_said_of_an_error(error: BaseException, said: str) -> None:
    assert told(error) == said


def test_of_an_error_whose_text_is_anothers_the_place_is_said() -> None:
    said = told(a_key_error())
    assert said.startswith("KeyError: in a_key_error, ")
    assert SECRET not in said


HIDDEN = [
    f"Authorization: Bearer {SECRET}",
    f"{{'Authorization': 'Bearer {SECRET}'}}",
    f'{{"authorization": "Bearer {SECRET}", "a": 1}}',
    json.dumps(json.dumps({"Authorization": f"Basic {SECRET}"})),
    f"authorization={SECRET}",
    f"<CIMultiDictProxy('Authorization': 'Bearer {SECRET}')>",
    f'"token": "{SECRET}"',
    json.dumps(json.dumps({"password": SECRET})),
    f"https://user:{SECRET}@registry.example/v2",
    f"-----BEGIN RSA {KEY}\n{SECRET}\n-----END RSA {KEY}",
    f"-----BEGIN {KEY}\\n{SECRET}",  # cut off
    JWT,
]


@pytest.mark.parametrize("text", HIDDEN)
def test_a_credential_is_blanked(text: str) -> None:
    blanked = without_credentials(f"before {text} after")
    assert SECRET not in blanked
    assert JWT not in blanked
    assert blanked.startswith("before ")
    assert "***" in blanked


@pytest.mark.parametrize(
    "text",
    [
        "KRKN_TOKEN_FILE or KRKN_TOKEN holds no bearer token",
        '{"event": "audit", "user": "system:serviceaccount:team-a:ci", "outcome": "OK"}',
        '{"targets": ["7f3a0000-0000-4000-8000-000000000000"], "created": 1}',
        "https://10.0.0.1:6443/api/v1/namespaces/a/secrets",
        "authorization is asked again every minute",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert without_credentials(text) == text


@pytest.mark.parametrize(
    "statement",
    [
        f"structlog.get_logger().warning('a', error=ValueError('Bearer {SECRET}'))",
        f"structlog.get_logger().info('a', headers={{'Authorization': 'Bearer {SECRET}'}})",
        f"structlog.get_logger().error('a', exc_info=ValueError('Bearer {SECRET}'))",
        f"logging.getLogger('lib').error('a %s', {{'Authorization': 'Bearer {SECRET}'}})",
        f"raise ValueError('Bearer {SECRET}')",
        f"asyncio.run(lost('Bearer {SECRET}'))",
        f"warnings.warn('Bearer {SECRET}')",
        f"asyncio.run(warns_of('Bearer {SECRET}'))",
        f"threading.Thread(target=fails, args=['Bearer {SECRET}']).start()",
        f"Finalized('Bearer {SECRET}')",
        f"logging.getLogger('grpc._cython.cygrpc').exception('a', exc_info=of('Bearer {SECRET}'))",
    ],
)
def test_no_log_line_has_a_credential_and_each_is_json(statement: str) -> None:
    program = f"""
import asyncio, gc, logging, threading, warnings, structlog
from krkn_grpc import log

def of(text):
    return ValueError(text)

def fails(text):
    raise of(text)

async def warns_of(text):
    asyncio.get_running_loop().call_exception_handler({{"message": text}})

class Finalized:
    def __init__(self, text):
        self.text = text

    def __del__(self):
        fails(self.text)

async def lost(text):
    async def fails():
        raise ValueError(text)
    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()

log.configure("info")
{statement}
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    lines = ended.stderr.splitlines()
    assert lines
    for line in lines:
        assert {"event", "level", "timestamp"} <= json.loads(line).keys()
    assert len(lines) == 1
    assert "***" in ended.stderr
    assert SECRET not in ended.stderr + ended.stdout


@pytest.mark.parametrize(("package", "is_quiet"), [("krkn_grpc.server", True), ("grpc", False)])
def test_grpc_writes_no_lines_of_its_own_in_the_server(package: str, is_quiet: bool) -> None:
    program = f"""
import asyncio, {package}, grpc, grpc.aio

async def handshake_that_fails():
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.secure_channel(
        f"127.0.0.1:{{port}}", grpc.ssl_channel_credentials()
    ) as channel:
        try:
            await channel.unary_unary("/a/b")(b"", timeout=10)
        except grpc.RpcError:
            print("refused")
    await server.stop(0)

asyncio.run(handshake_that_fails())
"""
    environment = {name: value for name, value in os.environ.items() if name != "GRPC_VERBOSITY"}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert ended.stdout == "refused\n"
    assert (ended.stderr == "") is is_quiet
