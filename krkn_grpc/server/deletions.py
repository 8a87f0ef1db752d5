"""Finds the revision of a deletion: it is in the watch event, not in the DELETE reply.

The caller gets the revision, so that a read on another replica can wait for the deletion.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic

import msgspec

from krkn_grpc.kube.client import R
from krkn_grpc.kube.informer import CacheChange, Informer

_LONGEST_WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class Deletion(Generic[R]):
    """An expected deletion, and the future of its revision."""

    object: R
    revision: asyncio.Future[int]

    async def seen(self) -> R:
        """Return the object at its deletion's revision; unchanged if it is not seen within 1 s."""
        done, _ = await asyncio.wait([self.revision], timeout=_LONGEST_WAIT_SECONDS)
        if not done:
            return self.object
        metadata = msgspec.structs.replace(
            self.object.metadata, resource_version=str(self.revision.result())
        )
        return msgspec.structs.replace(self.object, metadata=metadata)


class Deletions(Generic[R]):
    """The deletions that this process expects to see in the watch."""

    def __init__(self, cache: Informer[R]) -> None:
        """Listen to the changes of `cache` from now on."""
        self._expected: list[Deletion[R]] = []
        cache.listen(self._look)

    @contextmanager
    def expected(self, item: R) -> Iterator[Deletion[R]]:
        """Expect the object's deletion; enter this before the deletion is requested."""
        deletion = Deletion(item, asyncio.get_running_loop().create_future())
        self._expected.append(deletion)
        try:
            yield deletion
        finally:
            self._expected.remove(deletion)

    def _look(self, seen: CacheChange[R]) -> None:
        metadata = seen.object.metadata
        if seen.new is None or metadata.deletion_timestamp is not None:
            for deletion in self._expected:
                is_this = deletion.object.metadata.uid == metadata.uid
                if is_this and not deletion.revision.done():
                    deletion.revision.set_result(seen.revision)
