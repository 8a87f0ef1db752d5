"""The health endpoint for the kubelet's probes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from krkn_grpc.telemetry.exposition import listen


@asynccontextmanager
async def answering(host: str, port: int) -> AsyncIterator[None]:
    """Answer GET /healthz with 200 on `port` while the event loop runs; port 0 disables it.

    A standby is as healthy as the leader, and so is a process that cannot reach the API server: a
    restart would fix neither.
    """
    if not port:
        yield
        return
    app = web.Application()
    app.router.add_get("/healthz", _healthy)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await listen(runner, host, port, setting="KRKN_HEALTH_PORT", program="krkn-grpc controller")
        yield
    finally:
        await runner.cleanup()


async def _healthy(request: web.Request) -> web.Response:
    del request
    return web.json_response({"status": "healthy"})
