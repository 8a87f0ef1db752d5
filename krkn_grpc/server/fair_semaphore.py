"""A semaphore that is fair by caller: one that wants 1,000 places does not block the others."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


class FairSemaphore:
    """A number of places, given to waiting callers in round-robin order."""

    def __init__(self, places: int) -> None:
        """Start with all places free."""
        self._free = places
        # Waiting callers in round-robin order, each with the futures that it waits on.
        self._waiting: OrderedDict[str, OrderedDict[asyncio.Future[None], None]] = OrderedDict()

    @contextlib.asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        await self.take(caller)
        try:
            yield
        finally:
            self.give_back()

    async def take(self, caller: str) -> None:
        """Wait for a place; the caller must release it with `give_back`."""
        if self._free:
            self._free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, OrderedDict())[future] = None
        try:
            await future
        except asyncio.CancelledError:
            if future.cancelled():
                self._forget(caller, future)
            else:  # The place came at the same moment.
                self.give_back()
            raise

    def give_back(self) -> None:
        """Release a place to the next waiting caller."""
        while self._waiting:
            caller, futures = self._waiting.popitem(last=False)
            future, _ = futures.popitem(last=False)
            if futures:
                self._waiting[caller] = futures
            if not future.done():
                future.set_result(None)
                return
        self._free += 1

    async def each(
        self,
        caller: str,
        items: Sequence[str],
        work: Callable[[str], Coroutine[Any, Any, T]],
        *,
        seconds: float,
        late: Exception,
    ) -> dict[str, T | Exception]:
        """Return the result of `work` for each item, each run in a place of its own.

        The result of an item without a place after `seconds` is `late`. An item's task is created
        only when it has its place, so that 1,000 items take no more memory than the places do.
        `work` must not raise.
        """
        end = asyncio.get_running_loop().time() + seconds
        tasks: dict[str, asyncio.Task[T]] = {}
        try:
            for item in items:
                try:
                    async with asyncio.timeout_at(end):
                        await self.take(caller)
                except TimeoutError:
                    break
                tasks[item] = asyncio.create_task(work(item))
                tasks[item].add_done_callback(lambda _: self.give_back())
            done = await asyncio.gather(*tasks.values())
        finally:
            for task in tasks.values():
                task.cancel()
        return dict.fromkeys(items, late) | dict(zip(tasks, done, strict=True))

    def _forget(self, caller: str, future: asyncio.Future[None]) -> None:
        futures = self._waiting.get(caller)
        if futures is not None:
            futures.pop(future, None)
            if not futures:
                del self._waiting[caller]
