"""A machine behind a company's proxy: what is on it is spoken to directly, and no token is seen."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.processes.ports import LOOPBACK
from deploy.local.services import REPOSITORY
from tests.support.command import Command, Ended, Started
from tests.support.requests import IMAGE
from tests.support.rest import Rest
from tests.support.running import Running

TOKEN = "the-callers-own-token"  # pragma: allowlist secret
# As good as another machine's address: it is none of loopback's, and leads here all the same.
ELSEWHERE = "0.0.0.0"
VARIABLES = ("http_proxy", "https_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy")


@dataclass
class Proxy:
    """Tunnels everything, and keeps what it is sent."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    seen: bytearray = field(default_factory=bytearray)

    @property
    def environment(self) -> dict[str, str]:
        """What a machine behind it has."""
        return dict.fromkeys(VARIABLES, self.url)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, EOFError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode().split()
            self.asked.append(" ".join(request[:2]))
            host, _, port = request[1].rpartition(":")
            inner, outer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with contextlib.closing(outer):
                await asyncio.gather(self._copy(reader, outer), self._copy(inner, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.seen += data
            writer.write(data)
            await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[Proxy]:
    made = Proxy()
    async with await asyncio.start_server(made.serve, LOOPBACK, 0) as server:
        made.url = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        yield made


async def ended(server: str, proxy: Proxy, *arguments: str, **environment: str) -> Ended:
    """Run the command as a process, because gRPC takes the environment as it was at its start."""
    told = {**proxy.environment, "KRKN_TOKEN": TOKEN, "KRKN_RETRIES": "0", **environment}
    async with Command(server).with_environment(**told).start(*arguments) as started:
        return await started.ended()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_is_spoken_to_directly(
    shared_services: Running, proxy: Proxy, host: str
) -> None:
    port = shared_services.processes.rest_url.rpartition(":")[2]
    listed = await ended(f"{host}:{port}", proxy, "targets", "list")
    assert (listed.code, proxy.asked) == (0, []), listed


async def test_without_tls_no_proxy_is_asked(shared_services: Running, proxy: Proxy) -> None:
    port = shared_services.processes.grpc_address.rpartition(":")[2]
    listed = await ended(f"http://{ELSEWHERE}:{port}", proxy, "targets", "list")
    assert (listed.code, proxy.asked) == (0, []), listed


@pytest.mark.parametrize(
    ("no_proxy", "is_asked"),
    [
        ({}, True),
        ({"NO_PROXY": "a.example"}, True),
        ({"NO_PROXY": ELSEWHERE}, False),
        ({"NO_PROXY": "a.example, 0.0.0.0/8"}, False),
        ({"NO_PROXY": "*"}, False),
        ({"no_proxy": ELSEWHERE}, False),
    ],
)
async def test_with_tls_the_proxy_is_asked_but_where_no_proxy_says_so(
    shared_services: Running, proxy: Proxy, no_proxy: dict[str, str], is_asked: bool
) -> None:
    """Nobody there speaks TLS, so the call fails; what counts is who is asked, and for what."""
    port = shared_services.processes.rest_url.rpartition(":")[2]
    server = f"https://{ELSEWHERE}:{port}"
    failed = await ended(server, proxy, "targets", "list", **no_proxy)
    assert failed.code == 4
    assert set(proxy.asked) == ({f"CONNECT {ELSEWHERE}:{port}"} if is_asked else set())
    assert TOKEN.encode() not in proxy.seen


@pytest.mark.parametrize("example", ["run_on_many", "register_target", "demo"])
async def test_the_examples_do_so_too(
    shared_services: Running, rest: Rest, proxy: Proxy, example: str, tmp_path: Path
) -> None:
    target = await rest.register()
    arguments = {
        "run_on_many": ["s", f"{IMAGE}-lasts-0s", target],
        "register_target": ["a", str(tmp_path / ".local" / "demo-target-1.kubeconfig")],
        "demo": [],
    }
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "demo-target-1.kubeconfig").write_text("no kubeconfig")
    address = shared_services.processes.rest_url.removeprefix("http://")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"examples.{example}", *arguments[example]),
        cwd=tmp_path,
        env={
            **os.environ,
            **proxy.environment,
            "PYTHONPATH": str(REPOSITORY),
            "KRKN_SERVER": address,
            "KRKN_REST_PORT": address.rpartition(":")[2],
            "KRKN_TOKEN": TOKEN,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    finished = await Started(process).ended()
    assert proxy.asked == []
    # Only one of them is told what it wants to hear; the others are told by the service.
    said = "Succeeded" if example == "run_on_many" else "kubeconfig"
    assert said in finished.out + finished.err
