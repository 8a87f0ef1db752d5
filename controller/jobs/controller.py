"""What is done about jobs, put together: each in its turn, and a sweep over all."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from controller.jobs.act import Actor
from controller.jobs.departed import Departed
from controller.jobs.events import Announcer
from controller.jobs.handover import Handover
from controller.jobs.model import Limits
from controller.jobs.observe import Observer
from controller.jobs.reconcile import Reconciler
from controller.jobs.records import Records
from controller.jobs.secrets import JobSecrets
from controller.jobs.sweep import JobSweep
from controller.queue import Queue
from controller.settings import Settings
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.session import Session
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import names
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target


@dataclass(frozen=True)
class Watched:
    """What is watched, by a standby too: it takes over with all of it at hand."""

    jobs: WatchCache[ChaosJob]
    pods: WatchCache[Pod]
    targets: WatchCache[Target]
    departed: Departed

    @classmethod
    def of(cls, session: Session, namespace: str) -> Self:
        """Prepare the caches of a namespace."""
        jobs = WatchCache(Store(session, ChaosJob, namespace), groups_of=_waiting_for)
        # All pods, whatever their labels: one that has a job's name is in its way.
        pods = WatchCache(Store(session, Pod, namespace))
        targets = WatchCache(Store(session, Target, namespace))
        return cls(jobs, pods, targets, Departed(jobs))

    async def run(self) -> None:
        """Keep all of it current until cancelled."""
        async with asyncio.TaskGroup() as group:
            for cache in (self.jobs, self.pods, self.targets):
                group.create_task(cache.run())

    async def synced(self) -> None:
        """Return when the first lists are complete."""
        await asyncio.gather(self.jobs.synced(), self.pods.synced(), self.targets.synced())


@dataclass(frozen=True)
class JobWork:
    """What is done about jobs: each in its turn, and a sweep over all."""

    watched: Watched
    queue: Queue
    sweep: JobSweep

    @classmethod
    def of(
        cls, settings: Settings, session: Session, watched: Watched, announcer: Announcer
    ) -> Self:
        """Put it together; the turns come with `run`."""
        secrets = Store(session, Secret, settings.namespace)
        leases = Store(session, Lease, settings.namespace)
        reconciler = Reconciler(
            Observer(
                jobs=watched.jobs,
                pods=watched.pods,
                targets=watched.targets,
                departed=watched.departed,
                is_crowded=lambda: queue.is_crowded,
                secrets=secrets,
                leases=leases,
                handover=Handover(
                    AddressRules(settings.allowed_target_networks, settings.allow_proxy_url)
                ),
                limits=Limits(
                    settings.start_seconds,
                    settings.node_seconds,
                    settings.write_seconds,
                    settings.allowed_images,
                ),
            ),
            Actor(
                jobs=watched.jobs,
                pods=watched.pods,
                secrets=JobSecrets(secrets),
                records=Records(leases),
                announcer=announcer,
                pull_policy=settings.image_pull_policy,
                grace_seconds=settings.grace_seconds,
            ),
        )
        queue = Queue("jobs", reconciler.reconcile)
        sweep = JobSweep(
            jobs=watched.jobs,
            secrets=secrets,
            leases=leases,
            look_again=queue.add,
            every_seconds=settings.sweep_seconds,
            unclaimed_seconds=settings.unclaimed_seconds,
        )
        work = cls(watched, queue, sweep)
        watched.jobs.listen(lambda change: queue.add(change.object.metadata.name))
        watched.pods.listen(lambda change: work.look_at_job_of(change.object))
        watched.targets.listen(lambda change: work.look_at_jobs_on(change.object))
        return work

    async def run(self, workers: int) -> None:
        """Give every job its turn, and from then on those of which something changes."""
        await self.queue.run(workers, self._all)

    def look_at_job_of(self, pod: Pod) -> None:
        """Give the job that a pod of this name is for its turn."""
        if (job_id := names.job_of_pod(pod.metadata.name)) is not None:
            self.queue.add(job_id)

    def look_at_jobs_on(self, target: Target) -> None:
        """Give the jobs their turn that may not start on the target any more, or may now."""
        for job in list(self.watched.jobs.newest(target.metadata.name)):
            self.queue.add(job.metadata.name)

    def _all(self) -> Iterator[str]:
        for job in self.watched.jobs.values():
            yield job.metadata.name
        for pod in self.watched.pods.values():
            if (job_id := names.job_of_pod(pod.metadata.name)) is not None:
                yield job_id


def _waiting_for(job: ChaosJob) -> tuple[str, ...]:
    """Name the target that decides whether the job may start, while it has not."""
    is_waiting = job.status.start_time is None and not job.status.is_final
    return (job.spec.target_uuid,) if is_waiting else ()
