"""The port of /metrics, in the text format of Prometheus; the same for server and controller.

A port of its own: a scrape shares no limits with callers, needs no token and gets no answer but
numbers. It listens on loopback unless a setting says otherwise. In a pod it listens on all
addresses, and a NetworkPolicy restricts access.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import metadata

from aiohttp import web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest

from krkn_grpc.startup import cannot_listen
from krkn_grpc.telemetry import metrics

_LAG_SECONDS = 1.0


@asynccontextmanager
async def exposed(
    registry: CollectorRegistry, host: str, port: int, *, setting: str, program: str
) -> AsyncIterator[None]:
    """Answer GET /metrics on `port` with the metrics of both processes and of `registry`.

    Port 0 disables it. Ends the process with status 1 and one line, which names the setting of the
    port, if it cannot be listened on.
    """
    if not port:
        yield
        return
    metrics.BUILD_INFO.labels(*_build()).set(1)

    async def scrape(request: web.Request) -> web.Response:
        del request
        # In the event loop: gauges read what belongs to it. Some milliseconds for 1,000 series.
        body = generate_latest(metrics.SHARED) + generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.router.add_get("/metrics", scrape, allow_head=False)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    lag = asyncio.create_task(_measure_lag())
    try:
        await listen(runner, host, port, setting=setting, program=program)
        yield
    finally:
        lag.cancel()
        await runner.cleanup()


async def listen(
    runner: web.AppRunner, host: str, port: int, *, setting: str, program: str
) -> None:
    """Serve on `port`; end the process with one line if it cannot be listened on."""
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        # The text of aiohttp's error repeats the address; the system's says why.
        why = os.strerror(error.errno) if error.errno else str(error)
        cannot_listen(program, setting, f"{host}, port {port}", why)


async def _measure_lag() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _LAG_SECONDS
        await asyncio.sleep(_LAG_SECONDS)
        metrics.EVENT_LOOP_LAG.observe(max(loop.time() - due, 0.0))


def _build() -> tuple[str, str]:
    """Return version and revision of this build, `unknown` for what is not known."""
    version = "unknown"
    with suppress(metadata.PackageNotFoundError):
        version = metadata.version("krkn-grpc")
    return version, os.environ.get("KRKN_BUILD_REVISION") or "unknown"
