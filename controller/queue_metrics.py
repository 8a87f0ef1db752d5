"""The metrics of one work queue, as client-go and controller-runtime count them."""

import time
from typing import Literal

from krkn_grpc.telemetry import metrics

Result = Literal["success", "requeue_after", "requeue", "error"]


class QueueMetrics:
    """Counts for the queue `name`; its keys never become labels."""

    def __init__(self, name: str) -> None:
        """Show the queue, with nothing in it."""
        self._added_at: dict[str, float] = {}
        self._began_at: dict[str, float] = {}
        self._adds = metrics.QUEUE_ADDS.labels(name)
        self._retries = metrics.QUEUE_RETRIES.labels(name)
        self._wait = metrics.QUEUE_WAIT_SECONDS.labels(name)
        self._work = metrics.QUEUE_WORK_SECONDS.labels(name)
        self._reconcile = metrics.RECONCILE_SECONDS.labels(name)
        self._active = metrics.WORKERS_ACTIVE.labels(name)
        self._workers = metrics.WORKERS.labels(name)
        results: tuple[Result, ...] = ("success", "requeue_after", "requeue", "error")
        self._results = {each: metrics.RECONCILES.labels(name, each) for each in results}
        # Asked at each scrape: nothing is paid for them in between.
        metrics.QUEUE_DEPTH.labels(name).set_function(lambda: len(self._added_at))
        metrics.QUEUE_UNFINISHED.labels(name).set_function(lambda: sum(self._ages()))
        metrics.QUEUE_LONGEST.labels(name).set_function(lambda: max(self._ages(), default=0.0))

    def opened(self, workers: int) -> None:
        """Record that so many workers take keys from now on; 0: none any more."""
        self._workers.set(workers)
        if not workers:
            self._active.set(0)
            self._added_at.clear()
            self._began_at.clear()

    def added(self, key: str) -> None:
        """Record that a key waits for a worker."""
        self._adds.inc()
        self._added_at[key] = time.monotonic()

    def began(self, key: str) -> None:
        """Record that a worker has taken the key."""
        now = time.monotonic()
        self._wait.observe(now - self._added_at.pop(key, now))
        self._began_at[key] = now
        self._active.inc()

    def retried(self) -> None:
        """Count a key that comes again because its reconcile failed."""
        self._retries.inc()

    def ended(self, key: str, result: Result | None) -> None:
        """Record the end of a key's reconcile; it has no result when it was cancelled."""
        now = time.monotonic()
        took = now - self._began_at.pop(key, now)
        self._work.observe(took)
        self._reconcile.observe(took)
        self._active.dec()
        if result is not None:
            self._results[result].inc()

    def _ages(self) -> list[float]:
        now = time.monotonic()
        return [now - began for began in self._began_at.values()]
