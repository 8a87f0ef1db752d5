"""What answers in the API server's place breaks HTTP, or sends our request back.

Whatever it says, our own token is in no text that comes of it.
"""

import asyncio
import contextlib
import json
import os
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster import kubeconfig
from deploy.local.processes.ports import LOOPBACK
from deploy.local.services import REPOSITORY
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import KubeError, NotWritten, OutcomeUnknown
from krkn_grpc.kube.logs import LogOptions, Logs
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.core import Lease, LeaseSpec
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server.auth.reviews import Reviews
from krkn_grpc.told import told
from tests.support.waiting import eventually

TOKEN = "THE-TOKEN-OF-OUR-ACCOUNT"  # pragma: allowlist secret
OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS: dict[str, bytes] = {
    "status line": b"HTTP/1.1 abc OK\r\n\r\n",
    "TLS alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "header": OK + b"no colon here\r\n\r\n",
    "huge header": b"HTTP/1.1 503 x\r\nX-A: " + b"a" * 20000 + b"\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "nothing": b"",
    "half": OK + b"Content-Length: 100\r\n\r\n{",
    "no JSON": OK + b"Content-Length: 1\r\n\r\n{",
    "no object": OK + b"Content-Length: 3\r\n\r\n[]\n",
    "no version": OK + b'Content-Length: 22\r\n\r\n{"metadata":{},"a":""}',
    # The rest of the answer is our request.
    "sent back": b"",
    "sent back as a header": OK,
    "sent back as a body": OK + b"Connection: close\r\n\r\n",
    "sent back as a page": b"HTTP/1.1 403 No\r\nConnection: close\r\n\r\n",
    "sent back in a Status": b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n",
}


@dataclass
class Broken:
    """Answers every request with the same bytes."""

    url: str = ""
    name: str = ""
    names: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = self.name or next(self._each)
        with contextlib.suppress(ConnectionError):
            request = await reader.read(65536)
            if name == "sent back in a Status":
                told_back = {"reason": "InternalError", "message": request.decode()}
                request = json.dumps(told_back).encode()
            writer.write(ANSWERS[name] + (request if name.startswith("sent back") else b""))
            self.names.append(name)
            writer.close()

    _each: "cycle[str]" = field(default_factory=lambda: cycle(ANSWERS))


@pytest_asyncio.fixture
async def broken() -> AsyncIterator[Broken]:
    made = Broken()
    server = await asyncio.start_server(made.serve, LOOPBACK, 0)
    made.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


@pytest.fixture
def config(broken: Broken, tmp_path: Path) -> Path:
    return kubeconfig.write(
        tmp_path / "config", url=broken.url, ca_pem="", user={"token": TOKEN}, namespace="a"
    )


@pytest_asyncio.fixture
async def session(config: Path) -> AsyncIterator[Session]:
    async with Session(await ClusterAccess.load(config)) as session:
        yield session


async def watch(client: ResourceClient[Lease]) -> None:
    async for _ in client.watch(5):
        pass
    raise OutcomeUnknown("it ended")


async def log(session: Session) -> None:
    async with Logs(session, "a").open("a", "a", LogOptions()) as chunks:
        async for _ in chunks:
            pass
    raise OutcomeUnknown("it ended")


Ask = Callable[[Session, ResourceClient[Lease]], Awaitable[object]]
LEASE = Lease(metadata=ObjectMeta(name="a"), spec=LeaseSpec())
CALLS: dict[str, Ask] = {
    "get": lambda _, client: client.get("a"),
    "list": lambda _, client: client.list(),
    "list metadata": lambda _, client: client.list_metadata(),
    "watch": lambda _, client: watch(client),
    "create": lambda _, client: client.create(LEASE),
    "replace": lambda _, client: client.replace(LEASE),
    "patch": lambda _, client: client.patch("a", []),
    "delete": lambda _, client: client.delete("a"),
    "log": lambda session, _: log(session),
    "review": lambda session, _: Reviews(session, "a", "a", auth_cache_seconds=1).user_of(
        "a-callers-token"
    ),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ANSWERS)
async def test_no_text_of_an_error_has_our_token(
    broken: Broken, session: Session, name: str, call: str
) -> None:
    broken.name = name
    error = await failure(CALLS[call](session, ResourceClient(session, Lease, "a")))
    if error is None:
        # Metadata may lack everything, and a list of it every item.
        assert (name, call in ("list", "watch")) == ("no version", False)
        return
    assert isinstance(error, OutcomeUnknown | NotWritten) or name == "sent back as a page"
    for text in (str(error), repr(error), told(error), *traceback.format_exception(error)):
        assert TOKEN not in text
        assert "a-callers-token" not in text


async def failure(call: Awaitable[object]) -> KubeError | None:
    try:
        await call
    except KubeError as error:
        return error
    return None


@pytest.mark.parametrize("program", ["krkn_grpc.server", "controller"])
async def test_no_log_has_our_token(config: Path, broken: Broken, program: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "KRKN_KUBECONFIG": str(config),
        "KRKN_AUTH": "none",
        "KRKN_GRPC_PORT": "0",
        "KRKN_SERVER_HEALTH_PORT": "0",
        "KRKN_SERVER_METRICS_PORT": "0",
        "KRKN_CONTROLLER_METRICS_PORT": "0",
        "KRKN_LOG_LEVEL": "debug",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", program),
        cwd=REPOSITORY,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )

    async def seen() -> int:
        return len(broken.names)

    try:
        await eventually(seen, lambda count: count >= len(ANSWERS), seconds=60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        said, _ = await process.communicate()
    assert b"watch lost" in said
    assert TOKEN.encode() not in said
