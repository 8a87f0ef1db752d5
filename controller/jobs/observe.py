"""Looks at one job and all that belongs to it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from controller.jobs import credential
from controller.jobs.model import Limits, Observed, Refusal, is_as_requested
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.store import R, Store
from krkn_grpc.resources import labels, names
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.kubeconfig import Kubeconfig
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target


@dataclass(frozen=True)
class Observer:
    """Sees jobs, pods and targets through the caches, and asks again where absence decides."""

    jobs: WatchCache[ChaosJob]
    pods: WatchCache[Pod]
    targets: WatchCache[Target]
    secrets: Store[Secret]
    leases: Store[Lease]
    rules: AddressRules
    limits: Limits

    async def observe(self, job_id: str) -> Observed:
        """Return what there is of the job now."""
        job = self.jobs.get(job_id)
        pod = self.pods.get(names.pod_for(job_id))
        target: Target | None = None
        found: Kubeconfig | Refusal | None = None
        if job is not None and not job.status.is_final:
            if job.status.pod_uid and (pod is None or pod.metadata.uid != job.status.pod_uid):
                # That a named pod is gone ends the job for ever: a cache may not decide it.
                pod = await _live(self.pods.store, names.pod_for(job_id))
            if job.status.start_time is None:
                target = await self._target(job)
            if target is not None and target.is_admitted and not job.status.pod_uid and pod is None:
                found = await self._credential(job, target)
        now = datetime.now(UTC).replace(microsecond=0)
        return Observed(job_id, job, pod, target, found, now, self.limits)

    async def _credential(self, job: ChaosJob, target: Target) -> Kubeconfig | Refusal:
        if job.spec.request_id:
            # A call that was repeated very late may have created again what was deleted.
            name = names.request_record(job.spec.requested_by, job.spec.request_id)
            record = await _live(self.leases, name)
            if record is not None and labels.gone(job.metadata.name) in record.metadata.annotations:
                return Refusal("AlreadyRan", "The job ran before and was deleted.")
        return await credential.find(self.secrets, target, self.rules)

    async def _target(self, job: ChaosJob) -> Target | None:
        """Return the target; one that seems to forbid the start is looked up again."""
        known = self.targets.get(job.spec.target_uuid)
        if known is not None and known.is_admitted and is_as_requested(known, job):
            return known
        return await _live(self.targets.store, job.spec.target_uuid)


async def _live(store: Store[R], name: str) -> R | None:
    try:
        return await store.get(name)
    except (NotFound, ValueError):
        return None
