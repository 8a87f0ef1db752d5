"""Finds out at which revision a target was deleted: only the watch says so, not the answer.

The caller is told the revision, so that a read on another replica can wait until it is seen there.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from krkn_grpc.kube.cache import Seen, WatchCache
from krkn_grpc.resources.target import Target

_LONGEST_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class Deletion:
    """One that is expected."""

    target: Target
    revision: asyncio.Future[int]

    async def seen(self) -> Target:
        """Return the target at the revision of its deletion, or as it was if that takes long."""
        done, _ = await asyncio.wait([self.revision], timeout=_LONGEST_WAIT_SECONDS)
        if not done:
            return self.target
        metadata = msgspec.structs.replace(
            self.target.metadata, resource_version=str(self.revision.result())
        )
        return msgspec.structs.replace(self.target, metadata=metadata)


class Deletions:
    """The deletions that this process expects to see in the watch."""

    def __init__(self, cache: WatchCache[Target]) -> None:
        """Look at what `cache` sees from now on."""
        self._expected: list[Deletion] = []
        cache.listen(self._look)

    @contextmanager
    def expected(self, target: Target) -> Iterator[Deletion]:
        """Look out for the target's deletion, from before it is asked for."""
        deletion = Deletion(target, asyncio.get_running_loop().create_future())
        self._expected.append(deletion)
        try:
            yield deletion
        finally:
            self._expected.remove(deletion)

    def _look(self, seen: Seen[Target]) -> None:
        metadata = seen.object.metadata
        if seen.new is None or metadata.deletion_timestamp is not None:
            for deletion in self._expected:
                is_this = deletion.target.metadata.uid == metadata.uid
                if is_this and not deletion.revision.done():
                    deletion.revision.set_result(seen.revision)
