"""Which jobs were deleted since this process follows them: so that a job is known to be the first.

A watch tells every change in its order. Who has followed the jobs since before the call that asked
for one has been told of each earlier job of its name, and of its end.
"""

from collections import OrderedDict

from krkn_grpc.kube.contents import Contents, Seen, revision_of
from krkn_grpc.resources import labels
from krkn_grpc.resources.chaos_job import ChaosJob

_MOST = 8_192
_MOST_DIGITS = 20


class Departed:
    """The names of the jobs that were deleted last, and since when none of them is missing."""

    def __init__(self, jobs: Contents[ChaosJob], most: int = _MOST) -> None:
        """Follow `jobs`, which must have listed nothing yet; keep `most` names."""
        self._jobs = jobs
        self._most = most
        self._names: OrderedDict[str, int] = OrderedDict()
        self._forgotten = 0
        jobs.listen(self._look)

    def was_none(self, job: ChaosJob) -> bool:
        """Whether there surely never was another job of this name; False when it is not known."""
        asked_at = job.metadata.annotations.get(labels.ASKED_AT, "")
        return (
            # Anyone may have written it, and Python refuses numbers of thousands of digits.
            asked_at.isdecimal()
            and len(asked_at) <= _MOST_DIGITS
            and int(asked_at) >= max(self._jobs.whole_since, self._forgotten)
            # One that was read before the watch brought it: of its predecessor's end nothing is
            # told yet.
            and self._jobs.revision >= revision_of(job)
            and job.metadata.name not in self._names
        )

    def _look(self, seen: Seen[ChaosJob]) -> None:
        if seen.old is None:
            return
        if seen.new is None or seen.new.metadata.uid != seen.old.metadata.uid:
            name = seen.old.metadata.name
            self._names[name] = seen.revision
            self._names.move_to_end(name)
        if len(self._names) > self._most:
            self._forgotten = self._names.popitem(last=False)[1]
