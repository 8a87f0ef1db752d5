"""Runs writes to completion even if the caller disconnects.

As aiojobs' Scheduler.shield, which would be a dependency for 15 lines.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

from krkn_grpc.told import told

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class ShieldedTasks:
    """Runs writes in tasks of their own, apart from their calls.

    gRPC cancels a call's handler when the caller disconnects; a write that was sent must still be
    completed, or it would leave a partial registration or an unknown job.
    """

    def __init__(self) -> None:
        """Start without tasks."""
        self._under_way: set[asyncio.Task[Any]] = set()

    async def through(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`; it continues when the waiting call is cancelled."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._end)
        return await asyncio.shield(task)

    async def finish(self, seconds: float) -> None:
        """Wait for the running tasks, at most `seconds`."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Logged here too, because the call that would have raised it may be gone.
            _log.debug("write ended with an error", error=told(error))
