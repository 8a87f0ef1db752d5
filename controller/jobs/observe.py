"""Looks at one job and all that belongs to it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from controller.jobs import credential
from controller.jobs.model import Limits, Observed, Refusal
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.store import R, Store
from krkn_grpc.resources import names
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
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
                found = await credential.find(self.secrets, target, self.rules)
        now = datetime.now(UTC).replace(microsecond=0)
        return Observed(job_id, job, pod, target, found, now, self.limits)

    async def _target(self, job: ChaosJob) -> Target | None:
        """Return the target; one that seems to forbid the start is looked up again."""
        known = self.targets.get(job.spec.target_uuid)
        if known is not None and known.is_admitted and known.metadata.uid == job.spec.target_uid:
            return known
        return await _live(self.targets.store, job.spec.target_uuid)


async def _live(store: Store[R], name: str) -> R | None:
    try:
        return await store.get(name)
    except (NotFound, ValueError):
        return None
