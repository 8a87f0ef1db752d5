"""Room for kept logs: the oldest are deleted, so that all together take no more than they may."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

import structlog

from controller.job_logs import eviction
from krkn_grpc.kube import errors, index
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.resources.kept_log import KeptLogHead
from krkn_grpc.telemetry import metrics

_log = structlog.get_logger(__name__)

# Of one new log, and of the sweep.
_DELETED_AT_ONCE = 8


@dataclass(frozen=True, eq=False)
class _Claim:
    """Logs that nobody else may choose to delete, and the size of the new log they go for."""

    size: int
    going: Sequence[KeptLogHead]


class Room:
    """The room of all kept logs: `total_bytes`, as they are stored.

    A new log never makes it more, and deletes no more than it takes itself: so it need not wait for
    the sweep, which deletes the rest after the limit was lowered.
    """

    def __init__(self, kept: Informer[KeptLogHead], total_bytes: int) -> None:
        """Count what is in `kept` from now on: before its first list. It has one group."""
        self.kept = kept
        self._total_bytes = total_bytes
        # A log that ends must not take longer the more are kept: so they are counted as they
        # change.
        self._seen_bytes = 0
        self._claims: list[_Claim] = []
        kept.listen(self._changed)

    @contextlib.asynccontextmanager
    async def made(self, size: int, seconds: float) -> AsyncIterator[bool]:
        """Make room for a log that is written in the context; False if there cannot be any.

        Raises TimeoutError when that takes so many seconds, and a KubeError for a refused deletion.
        """
        if size > self._total_bytes:
            yield False
            return
        # What a new log frees counts as free when it is gone: others may be written before.
        coming = sum(max(0, claim.size - self._left(claim)) for claim in self._claims)
        excess = self._bytes_now() + coming + size - self._total_bytes
        with self._claimed(size, self._oldest(min(excess, size))) as claim:
            async with asyncio.timeout(seconds):
                await self._evict(claim)
            if claim.going:
                _log.info("oldest kept logs deleted", count=len(claim.going))
            yield True

    async def keep_to_limit(self) -> None:
        """Delete what is too much, without what others are deleting; raises a KubeError."""
        count = 0
        while going := self._oldest(self._excess_at_last(), most=_DELETED_AT_ONCE):
            with self._claimed(0, going) as claim:
                await self._evict(claim)
            count += len(going)
        if count:
            _log.info("oldest kept logs deleted", count=count)

    async def delete(self, log: KeptLogHead) -> None:
        """Delete one log, unless it is gone; raises a KubeError."""
        metadata = log.metadata
        with contextlib.suppress(errors.NotFound, errors.Conflict):
            await self.kept.client.delete(metadata.name, uid=metadata.uid)
        self.kept.forget(log)

    @contextlib.contextmanager
    def _claimed(self, size: int, going: Sequence[KeptLogHead]) -> Iterator[_Claim]:
        claim = _Claim(size, going)
        self._claims.append(claim)
        try:
            yield claim
        finally:
            self._claims.remove(claim)

    async def _evict(self, claim: _Claim) -> None:
        for begin in range(0, len(claim.going), _DELETED_AT_ONCE):
            some = claim.going[begin : begin + _DELETED_AT_ONCE]
            # All have ended before the claim does, also when one fails.
            for done in await asyncio.gather(*map(self._evict_one, some), return_exceptions=True):
                if done is not None:
                    raise done

    async def _evict_one(self, log: KeptLogHead) -> None:
        await self.delete(log)
        metrics.KEPT_LOGS_EVICTED.inc()

    def _oldest(self, excess: int, most: int | None = None) -> list[KeptLogHead]:
        """Return the oldest logs that have to go for so many bytes and that nobody deletes yet."""
        taken = {log.metadata.uid for claim in self._claims for log in claim.going}
        free = (log for log in self.kept.oldest(index.ALL) if log.metadata.uid not in taken)
        return eviction.to_delete(free, excess, most)

    def _excess_at_last(self) -> int:
        """Return what is too much when all has been deleted and written that has been begun."""
        coming = sum(claim.size - self._left(claim) for claim in self._claims)
        return self._bytes_now() + coming - self._total_bytes

    def _left(self, claim: _Claim) -> int:
        """Return the bytes that are still to be deleted."""
        there = (log for log in claim.going if self._is_there(log))
        return sum(log.stored_bytes for log in there)

    def _is_there(self, log: KeptLogHead) -> bool:
        found = self.kept.get(log.metadata.name)
        return found is not None and found.metadata.uid == log.metadata.uid

    def _bytes_now(self) -> int:
        ahead = sum(_bytes(written) - _bytes(seen) for seen, written in self.kept.ahead())
        return self._seen_bytes + ahead

    def _changed(self, change: CacheChange[KeptLogHead]) -> None:
        self._seen_bytes += _bytes(change.new) - _bytes(change.old)
        metrics.KEPT_LOG_BYTES.set(self._seen_bytes)


def _bytes(log: KeptLogHead | None) -> int:
    return 0 if log is None else log.stored_bytes
