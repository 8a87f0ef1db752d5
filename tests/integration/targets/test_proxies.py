"""Targets behind a proxy, where a setting allows kubeconfigs to name one."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.targets.stage import own_namespace
from tests.support.requests import canary, kubeconfig, kubeconfig_target
from tests.support.running import Wanted, running
from tests.support.runs import Runs
from tests.support.target_client import Targets


@dataclass
class HttpProxy:
    """Connects whoever asks to one place, whatever it asks for."""

    port_behind: int
    url: str = ""
    asked: list[bytes] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["HttpProxy"]:
        """Serve at `url` until the end."""
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        there, here = await asyncio.open_connection("127.0.0.1", self.port_behind)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copy(reader, here), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def test_a_target_is_checked_through_its_proxy_and_can_be_run(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    proxy = HttpProxy(control_plane.port)
    allowed = Wanted(envoy=False, environment={"KRKN_ALLOW_PROXY_URL": "true"})
    async with (
        proxy.serving(),
        own_namespace(control_plane) as namespace,
        running(control_plane.cluster, namespace, tmp_path, allowed) as services,
    ):
        targets = Targets(services.channel)
        # A name that leads nowhere: only the proxy can reach it.
        config = json.loads(kubeconfig("https://cluster.invalid:6443", canary()))
        config["clusters"][0]["cluster"]["proxy-url"] = proxy.url
        text = base64.b64encode(json.dumps(config).encode()).decode()
        uuid = await targets.create(kubeconfig_target(kubeconfig=text))
        # It was reached, and does not know the token.
        await targets.when(uuid, "Unauthorized")
        assert proxy.asked[0].startswith(b"CONNECT cluster.invalid:6443 HTTP/1.1\r\n")
        runs = Runs(services.channel)
        [job_id] = await runs.run(uuid)
        assert (await runs.when(job_id)).status == "Succeeded"
