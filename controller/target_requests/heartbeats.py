"""Which providers are alive, by their heartbeats as this process has seen them. No I/O.

The clocks of other providers are not trusted: a provider is alive while its heartbeat is seen to
change. At first sight its timestamp must be recent.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from krkn_grpc.resources.provider import Provider

_RECENT = timedelta(minutes=5)


@dataclass(frozen=True)
class _Seen:
    timestamp: datetime | None
    since: float
    is_alive: bool


@dataclass
class Heartbeats:
    """The last change of each provider's heartbeat."""

    lost_seconds: float
    """A provider whose heartbeat has not changed for so long is lost."""

    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def look(self, name: str, provider: Provider | None) -> None:
        """Note the provider's heartbeat; None: it was deleted."""
        if provider is None:
            self._seen.pop(name, None)
            return
        before, timestamp = self._seen.get(name), provider.status.timestamp
        if before is None:
            is_alive = timestamp is not None and self.now() - timestamp < _RECENT
            self._seen[name] = _Seen(timestamp, self.clock(), is_alive)
        elif before.timestamp != timestamp:
            self._seen[name] = _Seen(timestamp, self.clock(), timestamp is not None)

    def left(self, name: str) -> float:
        """Return the seconds until the provider is lost; 0 or less if it is."""
        seen = self._seen.get(name)
        if seen is None or not seen.is_alive:
            return 0.0
        return seen.since + self.lost_seconds - self.clock()

    def first_loss(self, names: Iterable[str]) -> float | None:
        """Return the seconds until the next one of these is lost; None if none of them is alive."""
        return min((left for name in names if (left := self.left(name)) > 0), default=None)
