"""The metrics of one informer's cache; there is one informer of a kind in a process."""

from collections.abc import Callable

from krkn_grpc.telemetry import metrics


class CacheMetrics:
    """Counts for one kind, such as `KrknChaosJob`."""

    def __init__(self, kind: str) -> None:
        """Count nothing yet: a cache that does not run is not shown."""
        self._kind = kind

    def count(self, objects: Callable[[], int]) -> None:
        """Show the cache from now on; `objects` is asked at each scrape."""
        metrics.CACHE_OBJECTS.labels(self._kind).set_function(objects)
        self._synced = metrics.CACHE_SYNCED.labels(self._kind)
        self._last_event = metrics.CACHE_LAST_EVENT.labels(self._kind)

    def synced(self, is_synced: bool) -> None:
        """Say whether the cache is complete and the API server answered for it."""
        self._synced.set(is_synced)

    def changed(self) -> None:
        """Record that the watch brought something now: then the API server answers."""
        self._last_event.set_to_current_time()
        self._synced.set(1)

    def restarts(self, cause: str) -> None:
        """Count the end of a watch, or of a list, and why."""
        metrics.WATCH_RESTARTS.labels(self._kind, cause).inc()
