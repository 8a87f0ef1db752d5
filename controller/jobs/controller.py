"""Wires the job controller: informers, work queue, periodic sweep."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from controller.credentials import CredentialCache
from controller.events import EventRecorder
from controller.job_logs.keeper import LogKeeper
from controller.jobs import counting, deadlines, job_log
from controller.jobs.act import Actor
from controller.jobs.claims import Claims
from controller.jobs.model import Limits
from controller.jobs.network_policies import JobNetworkPolicies
from controller.jobs.observe import Observer
from controller.jobs.reconcile import Reconciler
from controller.jobs.secrets import JobSecrets
from controller.jobs.sweep import JobSweep
from controller.jobs.tombstones import Tombstones
from controller.jobs.traces import JobTraces
from controller.jobs.turns import Turns, groups_of_job, groups_of_pod
from controller.resolver import SystemResolver
from controller.results.ended_logs import EndedLogs
from controller.runs.controller import RunController
from controller.runs.limits import RunLimits
from controller.settings import Settings
from controller.standing_orders import StandingOrders
from controller.work_queue import WorkQueue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.logs import Logs
from krkn_grpc.kube.session import Session
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun, ClaimedRun
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.ids import is_id
from krkn_grpc.resources.network_policy import NetworkPolicy
from krkn_grpc.resources.order import Order
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target


@dataclass(frozen=True)
class Watched:
    """The informers; a standby runs them too, so that its caches are full when it takes over."""

    jobs: Informer[ChaosJob]
    pods: Informer[Pod]
    targets: Informer[Target]
    tombstones: Tombstones

    @classmethod
    def of(cls, session: Session, namespace: str) -> Self:
        """Return the informers of a namespace, not yet running."""
        jobs = Informer(ResourceClient(session, ChaosJob, namespace), index_func=groups_of_job)
        # All pods, regardless of labels: a foreign pod with the name of a job's pod blocks the job.
        pods = Informer(ResourceClient(session, Pod, namespace), index_func=groups_of_pod)
        targets = Informer(ResourceClient(session, Target, namespace))
        return cls(jobs, pods, targets, Tombstones(pods))

    @property
    def caches(self) -> tuple[Informer[Any], ...]:
        """The informers, for the caller to run."""
        return self.jobs, self.pods, self.targets


@dataclass(frozen=True)
class JobController:
    """The work queue of jobs and the periodic sweep."""

    watched: Watched
    queue: WorkQueue
    sweep: JobSweep
    turns: Turns
    runs: RunLimits
    logs: EndedLogs
    traces: JobTraces

    @classmethod
    def of(
        cls,
        settings: Settings,
        session: Session,
        watched: Watched,
        orders: StandingOrders,
        events: EventRecorder,
        runs: RunController,
        request_credential: Callable[[str], Awaitable[None]],
        log_keeper: LogKeeper,
    ) -> Self:
        """Return the controller with its listeners attached; `run` starts the work queue."""
        secrets = ResourceClient(session, Secret, settings.namespace)
        claims = Claims(ResourceClient(session, ClaimedRun, settings.namespace))
        limits = Limits(
            settings.start_deadline_seconds,
            settings.node_lost_seconds,
            settings.allowed_images,
            settings.allowed_mount_paths,
            settings.adopt_providers,
            settings.adopted_seconds,
        )
        addresses = AddressRules(settings.allowed_target_networks, settings.allow_proxy_url)

        def look_again(job_id: str) -> None:
            queue.add(job_id)

        logs = EndedLogs(
            Logs(session, settings.namespace),
            log_keeper,
            look_again,
            with_results=settings.read_results,
        )
        turns = Turns(watched.jobs, watched.pods, settings.target_concurrency)
        reconciler = Reconciler(
            Observer(
                jobs=watched.jobs,
                pods=watched.pods,
                targets=watched.targets,
                tombstones=watched.tombstones,
                claims=claims,
                turns=turns,
                runs=runs.limits,
                halts=orders.halts,
                blackouts=orders.blackouts,
                secrets=secrets,
                credentials=CredentialCache(addresses),
                logs=logs,
                limits=limits,
                clock=session.time.now,
            ),
            Actor(
                jobs=watched.jobs,
                pods=watched.pods,
                secrets=JobSecrets(secrets),
                claims=claims,
                events=events,
                rules=settings.pod_rules,
                request_credential=request_credential,
                depart=runs.depart,
                is_crowded=lambda: queue.is_crowded,
                policies=_policies(settings, session, addresses),
            ),
            turns=turns,
            is_crowded=lambda: queue.is_crowded,
        )

        def due_in(job_id: str) -> float | None:
            job, now = watched.jobs.get(job_id), session.time.now()
            due = None if job is None else deadlines.next_of(job, limits, now)
            return None if due is None else (due - now).total_seconds()

        def log_fields(job_id: str) -> dict[str, str]:
            job = watched.jobs.get(job_id)
            return {"job": job_id} if job is None else job_log.log_fields(job)

        queue = WorkQueue("jobs", reconciler.reconcile, due_in, log_fields)
        sweep = JobSweep(
            jobs=watched.jobs,
            secrets=secrets,
            look_again=queue.add,
            is_overdue=lambda job: deadlines.is_overdue(
                job,
                watched.pods.get(names.pod_for(job.metadata.name)),
                settings.grace_seconds,
                session.time.now(),
            ),
            every_seconds=settings.sweep_seconds,
            unclaimed_seconds=settings.unclaimed_seconds,
            clock=session.time.now,
        )
        traces = JobTraces(watched.jobs, session.time.now)
        work = cls(watched, queue, sweep, turns, runs.limits, logs, traces)
        watched.jobs.listen(counting.changed)
        watched.jobs.listen(work.look_at_job)
        watched.pods.listen(work.look_at_job_of)
        watched.targets.listen(work.look_at_jobs_on)
        orders.halts.listen(work.look_at_jobs_under)
        orders.blackouts.listen(work.look_at_jobs_under)
        runs.runs.listen(work.look_at_jobs_in)
        return work

    async def run(self, workers: int) -> None:
        """Reconcile every job once, then each job whenever one of its objects changes."""
        async with self.logs.open():
            await self.queue.run(workers, self._all)

    def look_at_job(self, seen: CacheChange[ChaosJob]) -> None:
        """Queue the job, and at its end those whose turn it may be then."""
        job = seen.object
        if self.queue.is_open:
            # From the watch: a write whose answer was lost counts, too.
            job_log.changed(seen)
            if seen.old is not None and seen.new is not None:
                counting.written(seen.old, seen.new)
        self.queue.add(job.metadata.name)
        is_over = seen.new is None or seen.new.status.is_final
        if is_over:
            self.logs.forget(job.status.pod_uid)
        if seen.old is not None and not seen.old.status.is_final and is_over:
            self._look_at_next_on(job.spec.target_uuid)
            self._look_at_next_in(job.spec.run_id)

    def look_at_job_of(self, seen: CacheChange[Pod]) -> None:
        """Queue the job that the pod's name belongs to."""
        pod = seen.object
        if (job_id := names.job_of_pod(pod.metadata.name)) is None:
            return
        self.queue.add(job_id)
        # The pod of a deleted job held up the turn of the next ones.
        if (seen.new is None or seen.new.is_terminal) and self.watched.jobs.get(job_id) is None:
            self._look_at_next_on(pod.metadata.labels.get(well_known.TARGET_UUID, ""))

    def _look_at_next_on(self, target_uuid: str) -> None:
        if target_uuid and (target := self.watched.targets.get(target_uuid)) is not None:
            self._look_at_waiting(self.turns.next_on(target))

    def look_at_jobs_in(self, change: CacheChange[ChaosRun]) -> None:
        """Queue the jobs of a run that its change may start, stop or let go."""
        old, new = change.old, change.new
        name = change.object.metadata.name
        # Nearly always the first change comes before the jobs; else they waited for it.
        if old is None or new is None or _is_told_otherwise(old, new):
            for job in self.runs.all_in(name):
                self.queue.add(job.metadata.name)
        elif len(new.status.departed) > len(old.status.departed):
            for job_id in new.status.departed[len(old.status.departed) :]:
                self.queue.add(job_id)
            self._look_at_next_in(name)

    def _look_at_next_in(self, run_id: str) -> None:
        run = self.runs.runs.get(run_id) if run_id else None
        if run is None:
            return
        if self.runs.fails_now(run):
            for job in self.runs.all_in(run_id):
                self.queue.add(job.metadata.name)
        self._look_at_waiting(self.runs.next_in(run_id))

    def _look_at_waiting(self, job_ids: Iterable[str]) -> None:
        """Queue those that have not had their turn: most of the first ones run already."""
        for job_id in job_ids:
            job = self.watched.jobs.get(job_id)
            if job is None or not job.status.pod_uid:
                self.queue.add(job_id)

    def look_at_jobs_on(self, change: CacheChange[Target]) -> None:
        """Queue the jobs that wait to start on the target: its change may allow or forbid it.

        If its labels have changed, others too: a halt or blackout may select it now.
        """
        old, new = change.old, change.new
        is_other = old is None or new is None or old.metadata.labels != new.metadata.labels
        for job in list(self.watched.jobs.newest(change.object.metadata.name)):
            if is_other or job.status.start_time is None:
                self.queue.add(job.metadata.name)

    def look_at_jobs_under(self, order: Order) -> None:
        """Queue the unfinished jobs on the targets that the halt or blackout selects."""
        for target_uuid in filter(is_id, self.watched.jobs.groups()):
            target = self.watched.targets.get(target_uuid)
            is_selected = order.selects(None if target is None else target.metadata.labels)
            for job in list(self.watched.jobs.newest(target_uuid)):
                # The labels of another target of the same uuid say nothing.
                if is_selected or target is None or target.metadata.uid != job.spec.target_uid:
                    self.queue.add(job.metadata.name)

    def _all(self) -> Iterator[str]:
        for job in self.watched.jobs.values():
            yield job.metadata.name
        for pod in self.watched.pods.values():
            if (job_id := names.job_of_pod(pod.metadata.name)) is not None:
                yield job_id


def _is_told_otherwise(old: ChaosRun, new: ChaosRun) -> bool:
    """Whether all jobs of the run have to be looked at."""
    return new.metadata.uid != old.metadata.uid or new.spec.stop != old.spec.stop


def _policies(
    settings: Settings, session: Session, addresses: AddressRules
) -> JobNetworkPolicies | None:
    if not settings.network_policies:
        return None
    return JobNetworkPolicies(
        ResourceClient(session, NetworkPolicy, settings.namespace),
        SystemResolver(),
        addresses,
        tuple(filter(None, [settings.pod_https_proxy, settings.pod_http_proxy])),
    )
