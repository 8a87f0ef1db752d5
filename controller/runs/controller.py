"""Wires the controller of runs: work queue and sweep; it runs only in the leader."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Self

from controller.runs.departures import Departures
from controller.runs.limits import RunLimits
from controller.runs.reconcile import RunReconciler
from controller.settings import Settings
from controller.sweeping import keep_sweeping
from controller.work_queue import WorkQueue
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.paths import BadName
from krkn_grpc.kube.session import Session
from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun, ClaimedRun
from krkn_grpc.resources.pod import Pod

_WORKERS = 4


@dataclass(frozen=True)
class RunController:
    """The work queue of runs and the periodic sweep."""

    runs: Informer[ChaosRun]
    limits: RunLimits
    departures: Departures
    reconciler: RunReconciler
    queue: WorkQueue
    sweep_seconds: float

    @classmethod
    def of(
        cls, settings: Settings, session: Session, jobs: Informer[ChaosJob], pods: Informer[Pod]
    ) -> Self:
        """Return the controller with its listeners attached; `run` starts the work queue."""
        runs = Informer(ResourceClient(session, ChaosRun, settings.namespace))
        departures = Departures()
        limits = RunLimits(runs, jobs, partial(_live, runs.client))
        reconciler = RunReconciler(
            runs=runs,
            jobs=jobs,
            pods=pods,
            claims=ResourceClient(session, ClaimedRun, settings.namespace),
            departures=departures,
            longest_call=timedelta(seconds=settings.write_seconds),
            node_lost=timedelta(seconds=settings.node_lost_seconds),
            clock=session.time.now,
        )

        def log_fields(run_id: str) -> dict[str, str]:
            run = runs.get(run_id)
            trace = "" if run is None else run.metadata.annotations.get(well_known.TRACE, "")
            return {"run": run_id} | ({"trace": trace} if trace else {})

        queue = WorkQueue("runs", reconciler.reconcile, log_fields=log_fields)
        work = cls(runs, limits, departures, reconciler, queue, settings.sweep_seconds)
        # First what is known, then those that ask.
        jobs.listen(work.look_at_job)
        runs.listen(work.look)
        return work

    async def run(self) -> None:
        """Reconcile every run once, then each whenever one of its jobs changes."""
        await self.queue.run(_WORKERS, lambda: [run.metadata.name for run in self.runs.values()])

    async def sweep(self) -> None:
        """Look now and then at the runs that time alone changes."""
        await keep_sweeping(self._look_at_due, self.sweep_seconds)

    def depart(self, job: ChaosJob) -> None:
        """Have the run count a finished job as gone: its time to live has ended."""
        self.departures.add(job)
        self.queue.add(job.spec.run_id)

    def look(self, change: CacheChange[ChaosRun]) -> None:
        """Queue the run."""
        self.limits.look_at_run(change)
        name = change.object.metadata.name
        self.departures.forget(name, None if change.new is None else change.new.status.departed)
        self.queue.add(name)

    def look_at_job(self, change: CacheChange[ChaosJob]) -> None:
        """Queue the run of a job whose phase has changed, from that of a new one."""
        self.limits.look_at_job(change)
        old, new = change.old, change.new
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self.departures.add(old)
        before = "Pending" if old is None else old.status.phase
        now = "" if new is None else new.status.phase
        if now != before and (run_id := change.object.spec.run_id):
            self.queue.add(run_id)

    async def _look_at_due(self) -> None:
        for run in list(self.runs.values()):
            if self.reconciler.is_due(run):
                self.queue.add(run.metadata.name)


async def _live(runs: ResourceClient[ChaosRun], run_id: str) -> ChaosRun | None:
    try:
        return await runs.get(run_id)
    except (NotFound, BadName):
        return None
