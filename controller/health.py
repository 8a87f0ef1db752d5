"""Answers a kubelet that asks whether this process still works."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def answering(host: str, port: int) -> AsyncIterator[None]:
    """Answer GET /healthz with 200 on `port`, as long as the event loop turns; 0 is not at all.

    A standby is as healthy as the leader, and so is one that cannot reach the API server: a
    restart would mend neither.
    """
    if not port:
        yield
        return
    app = web.Application()
    app.router.add_get("/healthz", _healthy)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await runner.cleanup()


async def _healthy(request: web.Request) -> web.Response:
    del request
    return web.json_response({"status": "healthy"})
