"""Work that is carried through although its caller hangs up."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Carrier:
    """Runs writes apart from the calls that asked for them.

    gRPC cancels a call's handler when the caller goes; a write that was sent must still be
    followed to its end, or it would leave half a registration or an unknown job behind.
    """

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._under_way: set[asyncio.Task[Any]] = set()

    async def through(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of `work`; it goes on when the waiting call is cancelled."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._end)
        return await asyncio.shield(task)

    async def finish(self, seconds: float) -> None:
        """Wait for what is under way, at most so long."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Seen here too, because the caller that would have heard of it may be gone.
            _log.debug("write ended with an error", error=repr(error))
