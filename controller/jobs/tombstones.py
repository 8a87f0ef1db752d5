"""Tombstones: the last states of deleted pods, which still show how a scenario ended.

Pods have no finalizer, so that a namespace can be removed without the controller. A watch reports
a pod's last state before its deletion; a process that missed it has no tombstone.
"""

from collections.abc import MutableMapping
from datetime import UTC, datetime

from cachetools import LRUCache

from controller.jobs.model import Tombstone
from krkn_grpc.kube.object_cache import CacheChange, ObjectCache
from krkn_grpc.resources.pod import Pod

_MOST = 8_192


class Tombstones:
    """The pods that were deleted last, by uid."""

    def __init__(self, pods: ObjectCache[Pod], most: int = _MOST) -> None:
        """Listen to `pods`; keep the last `most` deleted pods."""
        self._pods = pods
        self._gone: MutableMapping[str, Tombstone] = LRUCache(most)
        pods.listen(self._look)

    def get(self, uid: str) -> Tombstone | None:
        """Return the last state of the pod with this uid, None when its deletion was not seen."""
        return self._gone.get(uid)

    def _look(self, seen: CacheChange[Pod]) -> None:
        old = seen.old
        if old is None:
            return
        # A list after a gap does not show changes within it: only an end that was seen is known.
        is_last_state = seen.revision > self._pods.whole_since or old.is_terminal
        is_gone = seen.new is None or seen.new.metadata.uid != old.metadata.uid
        if is_gone and is_last_state:
            self._gone[old.metadata.uid] = Tombstone(old, datetime.now(UTC).replace(microsecond=0))
