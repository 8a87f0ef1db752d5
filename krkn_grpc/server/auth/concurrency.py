"""Limits on calls, rates and request memory, so that one caller cannot use up all of them."""

import asyncio
import contextlib
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator
from functools import cache
from typing import Any, Self

import prometheus_client as prometheus
from cachetools import TTLCache

from krkn_grpc.server.auth.policy import CallClass
from krkn_grpc.server.errors import TooMany, TooSlow
from krkn_grpc.server.limits import LARGEST_MESSAGE
from krkn_grpc.telemetry import metrics


@cache
def _metrics_of(pool: str) -> tuple[prometheus.Gauge, prometheus.Counter]:
    return metrics.CALLS_OPEN.labels(pool), metrics.CALLS_REFUSED.labels(pool)


class ConcurrencyLimits:
    """Counts the open calls of each pool, and of each caller in it."""

    def __init__(self) -> None:
        """Start with all places free."""
        self._taken: Counter[str] = Counter()
        self._taken_by: Counter[tuple[str, str]] = Counter()

    @contextlib.contextmanager
    def take(self, pool: CallClass, caller: str) -> Iterator[None]:
        """Hold a place of the pool, of which one caller gets at most half; raises TooMany.

        Callers without a name count together and may take all places.
        """
        of_caller = (pool.name, caller)
        open_calls, refused = _metrics_of(pool.name)
        if self._taken[pool.name] >= pool.places:
            refused.inc()
            raise TooMany("too many calls are under way; try again later")
        if caller and self._taken_by[of_caller] >= pool.places // 2:
            refused.inc()
            raise TooMany("too many calls of yours are under way")
        self._taken[pool.name] += 1
        self._taken_by[of_caller] += 1
        open_calls.inc()
        try:
            yield
        finally:
            open_calls.dec()
            self._taken[pool.name] -= 1
            self._taken_by[of_caller] -= 1
            if not self._taken_by[of_caller]:
                del self._taken_by[of_caller]


_MOST_KEYS = 10_000


class RateLimiter:
    """Spaces the calls of each key evenly, at a rate per second."""

    def __init__(self, a_second: float, longest_seconds: float) -> None:
        """Allow `a_second` calls per second; no caller waits longer than `longest_seconds`."""
        self._interval = 1 / a_second
        self._longest = longest_seconds
        self._free_at: TTLCache[Hashable, float] = TTLCache(_MOST_KEYS, longest_seconds)

    async def wait(self, key: Hashable = None) -> None:
        """Wait for the key's next slot; raises TooMany when too many wait already."""
        now = time.monotonic()
        at = max(now, self._free_at.get(key, now))
        if at - now > self._longest:
            raise TooMany("too much was asked for at once; try again later")
        self._free_at[key] = at + self._interval
        await asyncio.sleep(at - now)


_NO_ROOM = "too many requests are on their way; try again later"


class RequestMemory:
    """The memory that incoming requests share; a named caller gets at most half of it.

    Requests wait for free memory, in round-robin order by caller. While one waits, a message that
    has not arrived after `hurry_seconds` loses its memory.
    """

    def __init__(
        self, messages: int, hurry_seconds: float, *, most_waiting: float = math.inf
    ) -> None:
        """Have memory for `messages` of the largest size at the same time."""
        self._left = messages * LARGEST_MESSAGE
        self._of_one = self._left // 2
        self._hurry_seconds = hurry_seconds
        self._most_waiting = most_waiting
        self._of: Counter[str] = Counter()
        self._coming: set[MemoryShare] = set()
        self._waiting: OrderedDict[str, OrderedDict[MemoryShare, asyncio.Future[None]]] = (
            OrderedDict()
        )

    def of(self, caller: str) -> "MemoryShare":
        """Return the share of one call's request. Callers without a name may take all memory."""
        return MemoryShare(self, caller)

    async def admit(self, arrival: "MemoryShare") -> None:
        """Reserve memory for a message, or wait for it; raises TooMany when too many wait."""
        others = self._waiting.get(arrival.caller, ())
        if not others and self._has_room(arrival.caller):
            self.charge(arrival, LARGEST_MESSAGE)
        elif len(others) >= self._most_waiting:
            raise TooMany(_NO_ROOM)
        else:
            await self._wait(arrival)
        self._coming.add(arrival)
        if self._waiting:
            arrival.hurry(self._hurry_seconds)

    def arrived(self, arrival: "MemoryShare") -> None:
        """Record that its message is complete or will not come."""
        self._coming.discard(arrival)

    def charge(self, arrival: "MemoryShare", size: int) -> None:
        """Reserve `size` bytes for the arrival, instead of its earlier reservation."""
        more = size - arrival.charged
        arrival.charged = size
        self._left -= more
        self._of[arrival.caller] += more
        if not self._of[arrival.caller]:
            del self._of[arrival.caller]
        if more < 0 and self._waiting:
            self._let_in()

    async def _wait(self, arrival: "MemoryShare") -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(arrival.caller, OrderedDict())[arrival] = future
        is_full = self._left < LARGEST_MESSAGE
        for other in self._coming:
            # A caller at its own limit only hurries its own messages.
            if is_full or other.caller == arrival.caller:
                other.hurry(self._hurry_seconds)
        try:
            await future
        finally:
            self._forget(arrival)

    def _let_in(self) -> None:
        is_one_in = True
        while is_one_in:
            is_one_in = False
            for caller in [caller for caller in self._waiting if self._has_room(caller)]:
                if not self._has_room(caller):
                    continue  # Earlier callers in this loop took the rest.
                arrival, future = self._waiting[caller].popitem(last=False)
                self._waiting.move_to_end(caller)
                if not self._waiting[caller]:
                    del self._waiting[caller]
                is_one_in = True
                if not future.done():  # Its call was not cancelled.
                    self.charge(arrival, LARGEST_MESSAGE)
                    future.set_result(None)

    def _has_room(self, caller: str) -> bool:
        is_within_share = not caller or self._of[caller] + LARGEST_MESSAGE <= self._of_one
        return is_within_share and self._left >= LARGEST_MESSAGE

    def _forget(self, arrival: "MemoryShare") -> None:
        waiting = self._waiting.get(arrival.caller)
        if waiting is not None:
            waiting.pop(arrival, None)
            if not waiting:
                del self._waiting[arrival.caller]
        # Requests behind a cancelled one may fit now.
        self._let_in()


class MemoryShare:
    """The memory of one call's request; released when the call ends."""

    def __init__(self, arrivals: RequestMemory, caller: str) -> None:
        """Start without memory."""
        self.caller = caller
        self.charged = 0
        self._arrivals = arrivals
        self._patience: asyncio.Timeout | None = None

    def __enter__(self) -> Self:
        """Return the share itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release all memory."""
        self._arrivals.charge(self, 0)

    async def receive(self, requests: Any, seconds: float) -> bytes | None:
        """Return the next message as bytes, None when there is none.

        Raises TooSlow when it has not arrived after `seconds`, TooMany when there is no memory.
        """
        self._arrivals.charge(self, 0)
        try:
            async with asyncio.timeout(seconds) as self._patience:
                await self._arrivals.admit(self)
                message: bytes = await anext(requests)
        except TimeoutError:
            if not self.charged:
                raise TooMany(_NO_ROOM) from None
            raise TooSlow("the request took too long to arrive") from None
        except StopAsyncIteration:
            return None
        finally:
            self._arrivals.arrived(self)
        return message

    def keep(self, size: int) -> None:
        """Release all memory but `size` bytes: the message has arrived."""
        self._arrivals.charge(self, min(size, LARGEST_MESSAGE))

    def hurry(self, seconds: float) -> None:
        """Shorten the wait for the message to at most `seconds` from now."""
        patience = self._patience
        if patience is None or patience.expired():
            return
        soon = asyncio.get_running_loop().time() + seconds
        if (when := patience.when()) is None or when > soon:
            patience.reschedule(soon)
