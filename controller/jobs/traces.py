"""Sends the spans of jobs when they have ended, where tracing is on."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from controller.jobs import conditions, counting, spans
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.resources.chaos_job import ENDING, ChaosJob
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.telemetry import tracing

# A leader that has died may not have sent those of the last jobs, and its successor took over
# later. What is sent twice is the same span.
_RECENT = timedelta(minutes=5)
_AT_ONCE = 200
_PAUSE_SECONDS = 1.0


class JobTraces:
    """Sends the spans of each job, in the process that leads."""

    def __init__(self, jobs: Informer[ChaosJob], clock: Callable[[], datetime]) -> None:
        """Follow `jobs`; `clock` is the time as the API server has it."""
        self._jobs = jobs
        self._clock = clock
        self._is_leading = False
        # When jobs were seen to be stopped that have not ended, by uid.
        self._stops: dict[str, datetime] = {}
        if tracing.is_on():
            jobs.listen(self._look)

    async def run(self) -> None:
        """Send, until cancelled, the spans of jobs that end, and first of those that just have."""
        if not tracing.is_on():
            return
        self._is_leading = True
        try:
            recent = iter(list(self._recent()))
            while some := list(islice(recent, _AT_ONCE)):
                for job in some:
                    _send(job, None)
                await asyncio.sleep(_PAUSE_SECONDS)
            await asyncio.Event().wait()
        finally:
            self._is_leading = False
            self._stops.clear()

    def _look(self, change: CacheChange[ChaosJob]) -> None:
        old, new = change.old, change.new
        if not self._is_leading or old is None or old.status.is_final:
            return
        uid = old.metadata.uid
        if new is None or new.metadata.uid != uid:
            self._stops.pop(uid, None)
        elif new.status.is_final:
            stopped = self._stops.pop(uid, None)
            _send(new, _ending_since(old) or stopped)
        elif new.spec.stop and not old.spec.stop:
            self._stops[uid] = self._clock()

    def _recent(self) -> Iterator[ChaosJob]:
        since = self._clock() - _RECENT
        for job in self._jobs.values():
            ended = conditions.finished_since(job) if job.status.is_final else None
            if ended is not None and ended >= since:
                yield job


def _ending_since(job: ChaosJob) -> datetime | None:
    ending = find_condition(job.status.conditions, ENDING)
    return None if ending is None else ending.last_transition_time


def _send(job: ChaosJob, ending_since: datetime | None) -> None:
    tracing.send(spans.ended(job, counting.shown(job.status.reason), ending_since))
