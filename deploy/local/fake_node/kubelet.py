"""Serves the logs of the fake node's containers to the API server, as a kubelet does.

kwok can serve a file as every container's log, but following that never ends. So the node names
this program as its kubelet: `kubectl logs` and the product read the lines of `node_log`, and
following ends with the container.

    python -m deploy.local.fake_node.kubelet PORT URL CA SERVING_CERT KEY CLIENT_CERT KEY
"""

import asyncio
import contextlib
import ssl
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from deploy.local.cluster.api import Cluster, ClusterError, Manifest
from deploy.local.cluster.certificates import KeyPair
from deploy.local.cluster.credentials import Credentials, of_certificate
from deploy.local.fake_node import log as logs
from deploy.local.fake_node.log import ContainerLog
from deploy.local.processes.ports import LOOPBACK
from deploy.local.processes.signals import stop_requested

_POLL_SECONDS = 0.1
_LINES_AT_ONCE = 500
_PATH = "/containerLogs/{namespace}/{pod}/{container}"


class NodeLogs:
    """Serves the logs of every pod of the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        """Read the state of pods from `cluster`."""
        self._cluster = cluster

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Stream one container's log: all of it or its tail, to its end with `follow`."""
        try:
            pod, log = await self._read(request.match_info)
        except ClusterError as error:
            return web.Response(status=error.status, text=str(error))
        if log.waiting:
            name = request.match_info["container"]
            told = f'container "{name}" is waiting to start: {log.waiting}'
            return web.Response(status=400, text=told)
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            await self._send(request, answer, log, is_cut=logs.is_cut(pod))
        return answer

    async def _send(
        self, request: web.Request, answer: web.StreamResponse, log: ContainerLog, *, is_cut: bool
    ) -> None:
        timestamps = request.query.get("timestamps") == "true"
        tail = request.query.get("tailLines")
        position = 0 if tail is None else max(len(log.lines) - int(tail), 0)
        while True:
            while part := log.lines.part(position, _LINES_AT_ONCE):
                await answer.write(b"".join(line.encoded(timestamps=timestamps) for line in part))
                position += len(part)
                await asyncio.sleep(0)  # let other requests run
            if is_cut and request.transport is not None:
                request.transport.abort()
                return
            if log.is_whole or request.query.get("follow") != "true":
                return
            await asyncio.sleep(_POLL_SECONDS)
            try:
                _, log = await self._read(request.match_info)
            except ClusterError:  # the pod is gone, and its container with it
                return

    async def _read(self, named: Mapping[str, str]) -> tuple[Manifest, ContainerLog]:
        # Taken before the pod is read: a container that runs then has run at least until now.
        now = datetime.now(UTC)
        pod = await self._cluster.request(
            "GET", f"/api/v1/namespaces/{named['namespace']}/pods/{named['pod']}"
        )
        return pod, logs.read(pod, named["container"], now)


async def _run(port: int, administrator: Credentials, tls: ssl.SSLContext) -> None:
    stop = stop_requested()
    async with Cluster(administrator) as cluster:
        application = web.Application()
        application.router.add_get(_PATH, NodeLogs(cluster).serve)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            # The parent process holds the port (see ReservedPort).
            await web.TCPSite(runner, LOOPBACK, port, ssl_context=tls, reuse_port=True).start()
            await stop.wait()
        finally:
            await runner.cleanup()


def main() -> None:
    """Run until SIGTERM."""
    port, url, *files = sys.argv[1:]
    ca, serving, serving_key, client, client_key = map(Path, files)
    # Like a kubelet, it accepts only clients with a certificate of the cluster's CA.
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    tls.load_cert_chain(serving, serving_key)
    tls.verify_mode = ssl.CERT_REQUIRED
    pair = KeyPair(client, client_key)
    asyncio.run(_run(int(port), of_certificate(url, ca.read_text(), pair), tls))


if __name__ == "__main__":
    main()
