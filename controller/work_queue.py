"""A work queue of keys, as client-go has it.

A key is queued once and reconciled by one worker at a time. Any number of changes while it is
queued or being reconciled cause one more reconcile. A reconcile that fails is retried after a
backoff of this key alone.

A queue without workers keeps nothing: run() is given all keys when it begins.

By hand: no library outside an operator framework has one.
"""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog
from structlog.contextvars import bound_contextvars

from controller.queue_metrics import QueueMetrics, Result
from krkn_grpc.told import told

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 30.0
_A_FEW = 8

_log = structlog.get_logger(__name__)


class Requeue(Exception):
    """Reconcile this key again soon; not an error."""


DueIn = Callable[[str], float | None]
Reconcile = Callable[[str], Awaitable[float | None]]
LogFields = Callable[[str], Mapping[str, str]]


class WorkQueue:
    """Keys to be reconciled, in the order in which they were added."""

    def __init__(
        self,
        name: str,
        reconcile: Reconcile,
        due_in: DueIn = lambda _: None,
        log_fields: LogFields = lambda _: {},
    ) -> None:
        """Call `reconcile` for each key; it returns the seconds until the next call, if any.

        Whatever it returns or raises, the key is reconciled again after the seconds that `due_in`
        gave before the call. All that is logged meanwhile has the fields that `log_fields` gives.
        """
        self._name = name
        self._reconcile = reconcile
        self._due_in = due_in
        self._log_fields = log_fields
        self._is_open = False
        self._metrics = QueueMetrics(name)
        self._forget()

    def _forget(self) -> None:
        self._ready: deque[str] = deque()
        self._waiting: set[str] = set()
        self._active: set[str] = set()
        self._changed: set[str] = set()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._failures: dict[str, int] = {}
        self._wake = asyncio.Semaphore(0)

    def add(self, key: str) -> None:
        """Reconcile the key; once more afterwards when it is being reconciled now."""
        if not self._is_open:
            return
        if (timer := self._later.pop(key, None)) is not None:
            timer.cancel()
        if key in self._active:
            self._changed.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._metrics.added(key)
            self._wake.release()

    @property
    def is_open(self) -> bool:
        """Whether keys are reconciled here: in the leader."""
        return self._is_open

    @property
    def is_crowded(self) -> bool:
        """Whether more than a few keys are queued or being reconciled."""
        return len(self._active) + len(self._waiting) > _A_FEW

    def add_later(self, key: str, seconds: float) -> None:
        """Reconcile the key after so many seconds, unless it is added before."""
        loop = asyncio.get_running_loop()
        known = self._later.get(key)
        if known is not None:
            if known.when() <= loop.time() + seconds:
                return
            known.cancel()
        self._later[key] = loop.call_later(seconds, self.add, key)

    async def run(self, workers: int, begin_with: Callable[[], Iterable[str]]) -> None:
        """Work until cancelled, beginning with the keys that `begin_with` gives."""
        self._is_open = True
        self._metrics.opened(workers)
        try:
            for key in begin_with():
                self.add(key)
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work())
        finally:
            self._is_open = False
            for timer in self._later.values():
                timer.cancel()
            self._forget()
            self._metrics.opened(0)

    async def _work(self) -> None:
        while True:
            # Most reconciles of a new leader do nothing and never wait: without this yield they
            # would keep it from renewing its Lease.
            await asyncio.sleep(0)
            await self._wake.acquire()
            key = self._ready.popleft()
            self._waiting.discard(key)
            self._active.add(key)
            self._metrics.began(key)
            due = self._due(key)
            result: Result | None = None
            try:
                with bound_contextvars(**self._log_fields(key)):
                    result, again = await self._reconciled(key)
            finally:
                self._active.discard(key)
                self._metrics.ended(key, result)
            if key in self._changed:
                self._changed.discard(key)
                self.add(key)
            elif again is not None:
                left = due - asyncio.get_running_loop().time()
                self.add_later(key, min(again, max(left, _FIRST_PAUSE_SECONDS)))

    async def _reconciled(self, key: str) -> tuple[Result, float | None]:
        """Return how it went, and the seconds until the next reconcile, if any."""
        try:
            again = await self._reconcile(key)
        except Requeue as reason:
            again = self._pause(key)
            _log.debug("reconcile requeued", queue=self._name, key=key, reason=str(reason))
            return "requeue", again
        except Exception as error:
            again = self._pause(key)
            _log.warning(
                "reconcile failed", queue=self._name, key=key, error=told(error), again_in=again
            )
            return "error", again
        self._failures.pop(key, None)
        return ("success" if again is None else "requeue_after"), again

    def _due(self, key: str) -> float:
        """Return the deadline for the key's next reconcile, by the event loop's clock."""
        left = self._due_in(key)
        if left is None or left <= 0:
            return math.inf
        return asyncio.get_running_loop().time() + left

    def _pause(self, key: str) -> float:
        self._metrics.retried()
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(failures, 20), _LONGEST_PAUSE_SECONDS)
