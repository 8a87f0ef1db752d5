"""The loop of a sweep: what looks for leftovers does so for ever, whatever goes wrong once."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from krkn_grpc.kube.errors import KubeError

_log = structlog.get_logger(__name__)


async def keep_sweeping(once: Callable[[], Awaitable[None]], every_seconds: float) -> None:
    """Sweep until cancelled; a failure is tried again the next time."""
    while True:
        try:
            await once()
        except KubeError as error:
            _log.warning("sweep failed", error=str(error))
        await asyncio.sleep(every_seconds)
