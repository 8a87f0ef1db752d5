"""In-memory state of targets between reconciles; losing it does no harm.

Ages are measured by this process's own monotonic clock: an age computed from another machine's
timestamp is wrong by the difference of the two clocks.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from controller.targets.decide import Past
from krkn_grpc.kube.informer import CacheChange
from krkn_grpc.reservations.leases import held_by
from krkn_grpc.resources import well_known
from krkn_grpc.resources.target import Target

# A version changes with an upgrade; asking for it is one more connection for each check.
_VERSION_SECONDS = 3_600.0


@dataclass
class _Entry:
    version: tuple[str, int]
    first_seen: float
    failures: int = 0
    refused: float | None = None
    wanted: frozenset[str] = frozenset()
    is_free_since: bool = False
    answered: str = ""
    version_asked: float | None = None


class RetryState:
    """When a target was first seen, its consecutive failed checks, and when it was refused.

    All of that belongs to one generation: a changed target starts from zero.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet; `clock` gives seconds."""
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._held: dict[str, frozenset[str]] = {}

    def past(self, target: Target) -> Past:
        """Return the history of the target's current generation, at the start of a reconcile."""
        entry, now = self._entry(target), self._clock()
        entry.wanted = frozenset() if target.is_admitted else frozenset(held_by(target))
        entry.is_free_since = False
        return Past(
            known_seconds=now - entry.first_seen,
            failures=entry.failures,
            refused_seconds=None if entry.refused is None else now - entry.refused,
            answered=entry.answered,
        )

    def checked(self, target: Target, is_ready: bool) -> int:
        """Record the result of a check; return the number of consecutive failures."""
        entry = self._entry(target)
        entry.failures = 0 if is_ready else entry.failures + 1
        return entry.failures

    def answered(self, target: Target) -> None:
        """Record that the request for a check that the target has was met by one."""
        requested = target.metadata.annotations.get(well_known.CHECK_REQUESTED, "")
        self._entry(target).answered = requested

    def version_is_due(self, target: Target) -> bool:
        """Whether the cluster is to be asked for its version now: once an hour. Records that."""
        entry, now = self._entry(target), self._clock()
        is_due = entry.version_asked is None or now - entry.version_asked >= _VERSION_SECONDS
        if is_due:
            entry.version_asked = now
        return is_due

    def refused(self, target: Target) -> None:
        """Record that another target had this one's name or URL in this reconcile."""
        entry = self._entry(target)
        # It may have become free since it was read: then the next reconcile tries again.
        entry.refused = None if entry.is_free_since else self._clock()

    def formerly_held(self, target: Target) -> frozenset[str]:
        """Return the reservations that the target held before its change and no longer needs."""
        return self._held.get(target.metadata.name, frozenset()) - frozenset(held_by(target))

    def freed_by(self, seen: CacheChange[Target]) -> list[str]:
        """Return the targets that want reservations freed by this change.

        They no longer count as refused, so that they are retried at once.
        """
        name, target = seen.object.metadata.name, seen.new
        held = self._held.pop(name, frozenset())
        if target is None or target.metadata.deletion_timestamp is not None:
            self._entries.pop(name, None)
            free = held
        else:
            # Between two admissions it keeps its reservations.
            self._held[name] = frozenset(held_by(target)) if target.is_admitted else held
            free = held - self._held[name]
        if not free:
            return []
        wanting = {
            other: entry
            for other, entry in self._entries.items()
            if not entry.wanted.isdisjoint(free)
        }
        for entry in wanting.values():
            entry.refused, entry.is_free_since = None, True
        return list(wanting)

    def _entry(self, target: Target) -> _Entry:
        metadata = target.metadata
        version = (metadata.uid, metadata.generation)
        known = self._entries.get(metadata.name)
        if known is None or known.version != version:
            known = self._entries[metadata.name] = _Entry(version, self._clock())
        return known
