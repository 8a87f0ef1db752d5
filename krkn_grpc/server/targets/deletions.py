"""Finds the revision of a target's deletion: it is in the watch event, not in the DELETE reply.

The caller gets the revision, so that a read on another replica can wait for the deletion.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.resources.target import Target

_LONGEST_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class Deletion:
    """An expected deletion, and the future of its revision."""

    target: Target
    revision: asyncio.Future[int]

    async def seen(self) -> Target:
        """Return the target at its deletion's revision; unchanged if it is not seen within 1 s."""
        done, _ = await asyncio.wait([self.revision], timeout=_LONGEST_WAIT_SECONDS)
        if not done:
            return self.target
        metadata = msgspec.structs.replace(
            self.target.metadata, resource_version=str(self.revision.result())
        )
        return msgspec.structs.replace(self.target, metadata=metadata)


class Deletions:
    """The deletions that this process expects to see in the watch."""

    def __init__(self, cache: Informer[Target]) -> None:
        """Listen to the changes of `cache` from now on."""
        self._expected: list[Deletion] = []
        cache.listen(self._look)

    @contextmanager
    def expected(self, target: Target) -> Iterator[Deletion]:
        """Expect the target's deletion; enter this before the deletion is requested."""
        deletion = Deletion(target, asyncio.get_running_loop().create_future())
        self._expected.append(deletion)
        try:
            yield deletion
        finally:
            self._expected.remove(deletion)

    def _look(self, seen: CacheChange[Target]) -> None:
        metadata = seen.object.metadata
        if seen.new is None or metadata.deletion_timestamp is not None:
            for deletion in self._expected:
                is_this = deletion.target.metadata.uid == metadata.uid
                if is_this and not deletion.revision.done():
                    deletion.revision.set_result(seen.revision)
