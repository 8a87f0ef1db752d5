"""Says whether it is a job's turn on a target that takes only so many jobs at once.

A job may start while fewer than that many jobs of its target that stand before it are not final,
and fewer than that many others may run. Jobs stand in the order of (creationTimestamp, jobId), and
a final job never goes back: so a leader that sees an old state starts fewer jobs, never more.
Nothing is counted in a resource, and nothing is written for it.

The order may change only within the second of a job's creation, when a job of a smaller id comes.
This process does not start both: it knows which starts it is writing. Two leaders at once could.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from controller.jobs.model import Turn, is_held, is_of_some_job
from controller.runs import limits
from controller.work_queue import Requeue
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target

# The jobs whose status names a pod; the group of all unfinished ones is the uuid alone.
_NAMED = "named"


@dataclass(frozen=True)
class Turns:
    """Reads the jobs of a target, and the pods that may run on it, from the caches' indexes."""

    jobs: ObjectCache[ChaosJob]
    pods: ObjectCache[Pod]
    default_limit: int
    _starting: dict[str, set[str]] = field(default_factory=dict)

    def limit_of(self, target: Target) -> int:
        """Return how many jobs the target takes at once; 0 for any number."""
        limit = target.spec.max_concurrent_jobs
        return self.default_limit if limit is None else limit

    def of(self, job: ChaosJob, target: Target) -> Turn | None:
        """Return the job's turn on its target; None where the target has no limit."""
        if not (limit := self.limit_of(target)):
            return None
        is_among_first = job.metadata.name in self._first(target, limit)
        return Turn(limit, is_among_first and len(self._others_that_run(job)) < limit)

    def next_on(self, target: Target) -> list[str]:
        """Return the jobs whose turn it may be, by id; none where the target has no limit."""
        return self._first(target, self.limit_of(target))

    @contextlib.contextmanager
    def taken(self, job: ChaosJob, turn: Turn) -> Iterator[None]:
        """Hold the turn while the job's start is written; raises Requeue when others came first."""
        if len(self._others_that_run(job)) >= turn.limit:
            raise Requeue("another job of the target started meanwhile")
        starting = self._starting.setdefault(job.spec.target_uuid, set())
        starting.add(job.metadata.name)
        try:
            yield
        finally:
            starting.discard(job.metadata.name)
            if not starting:
                self._starting.pop(job.spec.target_uuid, None)

    def _first(self, target: Target, limit: int) -> list[str]:
        unfinished = self.jobs.oldest(target.metadata.name)
        return [job.metadata.name for job in islice(unfinished, limit)]

    def _others_that_run(self, job: ChaosJob) -> set[str]:
        uuid = job.spec.target_uuid
        named = {each.metadata.name for each in self.jobs.newest(f"{_NAMED} {uuid}")}
        # The pod of a deleted job runs on for its grace period.
        pods = {names.job_of_pod(each.metadata.name) for each in self.pods.newest(uuid)}
        running = named | {each for each in pods if each is not None}
        return (running | self._starting.get(uuid, set())) - {job.metadata.name}


def groups_of_job(job: ChaosJob) -> tuple[str, ...]:
    """Return the index groups of a job: of its run, and until it is final of its target.

    The latter are its target's uuid, and one of those that are named.
    """
    uuid, of_run = job.spec.target_uuid, limits.groups_of_job(job)
    if job.status.is_final:
        return of_run
    return (uuid, f"{_NAMED} {uuid}", *of_run) if job.status.pod_uid else (uuid, *of_run)


def groups_of_pod(pod: Pod) -> tuple[str, ...]:
    """Return the index group of a scenario pod that can run: the uuid of its target."""
    uuid = pod.metadata.labels.get(well_known.TARGET_UUID, "")
    job_id = names.job_of_pod(pod.metadata.name)
    if not uuid or job_id is None or pod.is_terminal or is_held(pod):
        return ()
    return (uuid,) if is_of_some_job(pod, job_id) else ()
