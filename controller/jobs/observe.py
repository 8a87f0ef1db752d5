"""Looks at one job and all that belongs to it.

What a cache shows may be old. Most of it may be acted on all the same, because every write says
what it expects to find. What such a write would not notice is asked of the API server here.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from controller.jobs.departed import Departed
from controller.jobs.handover import Handover
from controller.jobs.model import (
    Credential,
    Limits,
    Observed,
    Refusal,
    is_as_requested,
    is_held,
    is_ours,
)
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.paths import BadName
from krkn_grpc.kube.store import R, Store
from krkn_grpc.resources import labels, names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target

_YOUNG = timedelta(seconds=30)


@dataclass(frozen=True)
class Observer:
    """Sees jobs, pods and targets through the caches, and asks again where age would do harm."""

    jobs: WatchCache[ChaosJob]
    pods: WatchCache[Pod]
    targets: WatchCache[Target]
    departed: Departed
    is_crowded: Callable[[], bool]
    secrets: Store[Secret]
    leases: Store[Lease]
    handover: Handover
    limits: Limits

    async def observe(self, job_id: str) -> Observed:
        """Return what there is of the job now."""
        job = self.jobs.get(job_id)
        pod = self.pods.get(names.pod_for(job_id))
        if pod is not None and (job is None or _may_be_newer(pod, job)):
            # Read after the pod was seen, so it is at least as new: a pod is never taken for a
            # stray because its job came late.
            job = await _live(self.jobs.store, job_id)
        if job is None or job.metadata.deletion_timestamp is not None or job.status.is_final:
            return Observed(job_id, job, pod, None, None, _now(), self.limits)
        if _is_gone(pod, job) or _is_overdue(pod):
            pod = await _live(self.pods.store, names.pod_for(job_id))
        target: Target | None = None
        found: Credential | Refusal | None = None
        if job.status.start_time is None and not job.spec.stop:
            if pod is None and not job.status.pod_uid:
                target, found = await self._what_a_pod_needs(job)
            else:
                target = await self._target(job)
        return Observed(
            job_id, job, pod, target, found, _now(), self.limits, is_crowded=self.is_crowded()
        )

    async def _what_a_pod_needs(
        self, job: ChaosJob
    ) -> tuple[Target | None, Credential | Refusal | None]:
        """Return the target, and its credential as it is now when the job may have it."""
        # The server has looked at the target of a young job just now: were our watch silent, a
        # change of the target would go unseen no longer than that.
        is_young = _age(job) < _YOUNG
        record, target, secret = await asyncio.gather(
            self._record(job),
            self._target(job) if is_young else _live(self.targets.store, job.spec.target_uuid),
            _live(self.secrets, job.spec.target_secret_uuid),
        )
        if target is None or not target.is_admitted or not is_as_requested(target, job):
            return target, None
        # A write that was repeated very late may have created again what was deleted.
        if record is not None and labels.gone(job.metadata.name) in record.metadata.annotations:
            return target, Refusal("AlreadyRan", "The job ran before and was deleted.")
        return target, self.handover.credential(secret, target)

    async def _record(self, job: ChaosJob) -> Lease | None:
        """Return what an earlier job of this name left; not asked for when there was none."""
        if self.departed.was_none(job):
            return None
        return await _live(self.leases, names.record_of(job))

    async def _target(self, job: ChaosJob) -> Target | None:
        """Return the target of a job; it is asked for when what was seen of it forbids a pod."""
        known = self.targets.get(job.spec.target_uuid)
        if known is not None and known.is_admitted and is_as_requested(known, job):
            return known
        return await _live(self.targets.store, job.spec.target_uuid)


def _may_be_newer(pod: Pod, job: ChaosJob) -> bool:
    """Whether the pod could only be like this if the job has changed since it was seen."""
    if not is_ours(pod, job):
        return True
    is_named = pod.metadata.uid == job.status.pod_uid
    return not is_named and not is_held(pod) and not job.status.is_final


def _is_gone(pod: Pod | None, job: ChaosJob) -> bool:
    """Whether the pod that was named seems to be no more, which ends the job for ever."""
    return bool(job.status.pod_uid) and (pod is None or pod.metadata.uid != job.status.pod_uid)


def _is_overdue(pod: Pod | None) -> bool:
    """Whether the pod should have ended by now; that it did must not be missed."""
    if pod is None or pod.is_terminal or pod.metadata.deletion_timestamp is None:
        return False
    return _now() >= pod.metadata.deletion_timestamp


def _age(job: ChaosJob) -> timedelta:
    created = job.metadata.creation_timestamp
    return timedelta.max if created is None else abs(_now() - created)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def _live(store: Store[R], name: str) -> R | None:
    try:
        return await store.get(name)
    except (NotFound, BadName):
        return None
