"""The loop of a periodic sweep, which continues after failures."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from krkn_grpc.kube.errors import KubeError
from krkn_grpc.told import told

_log = structlog.get_logger(__name__)


async def keep_sweeping(once: Callable[[], Awaitable[None]], every_seconds: float) -> None:
    """Call `once` every `every_seconds` until cancelled; the next sweep retries a KubeError."""
    while True:
        try:
            await once()
        except KubeError as error:
            _log.warning("sweep failed", error=told(error))
        await asyncio.sleep(every_seconds)
