"""Says of a job whether its run lets it start: maxParallel, maxFailures, stop, and the run itself.

A job may start while fewer than maxParallel jobs before it in the run's list are not final. A job
that is not seen counts as not final, unless the run's status has it as departed, and what is final
stays so: a leader that sees an old state starts fewer jobs, never more. At any moment the last in
the list of the jobs that run had fewer than maxParallel such before it, so at most that many run.
Nothing is counted in a resource, and nothing is written for it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from controller.reason import Reason
from controller.runs.model import CREATED_TOO_LATE, RUN_DELETED, RunState, Spared
from krkn_grpc.kube.object_cache import CacheChange, ObjectCache
from krkn_grpc.resources.chaos_job import STOPPING_REASONS, ChaosJob
from krkn_grpc.resources.chaos_run import STOP_REQUESTED, ChaosRun, RunStop

FAILURE_THRESHOLD = "FailureThreshold"
_STOPPED = "The run was stopped."


@dataclass
class _Frontier:
    """The first jobs of one run, `limit` at most, that are not final."""

    uid: str
    open: list[str] = field(default_factory=list)
    position: int = 0
    is_stale: bool = True


@dataclass(frozen=True)
class RunLimits:
    """Reads runs and jobs from the caches; a job costs the same in a run of a thousand."""

    runs: ObjectCache[ChaosRun]
    jobs: ObjectCache[ChaosJob]
    """With the groups of `groups_of_job`."""

    read: Callable[[str], Awaitable[ChaosRun | None]]
    """Returns a run as the API server has it; raises KubeError."""

    _frontiers: dict[str, _Frontier] = field(default_factory=dict)
    # By uid. More failures than allowed stay more.
    _failed: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)
    _departed_sets: dict[str, frozenset[str]] = field(default_factory=dict)

    async def of(self, job: ChaosJob) -> RunState | None:
        """Return what the job's run says to it, None when it has none; raises KubeError."""
        if not job.spec.run_id:
            return None
        if (run := await self._run_of(job)) is None:
            return RunState(RUN_DELETED, fails=True)
        if run.spec.stop is not None:
            return RunState(_stop(run.spec.stop))
        if job.metadata.name in self._departed(run):
            return RunState(CREATED_TOO_LATE, spares="named", fails=True)
        if self.has_failed(run):
            too_many = f"More than {run.spec.max_failures} jobs of the run have failed."
            spares: Spared = "none" if run.spec.abort_running else "started"
            return RunState(Reason(FAILURE_THRESHOLD, too_many), spares=spares)
        limit = run.spec.max_parallel
        return RunState(limit=limit, has_turn=not limit or job.metadata.name in self._first(run))

    async def has_counted(self, job: ChaosJob) -> bool:
        """Whether the run of a final job knows its outcome, or is gone; raises KubeError."""
        if not job.spec.run_id:
            return True
        run = await self._run_of(job)
        return run is None or job.metadata.name in self._departed(run)

    def has_failed(self, run: ChaosRun) -> bool:
        """Whether more jobs of the run have failed than it allows."""
        allowed, uid = run.spec.max_failures, run.metadata.uid
        if allowed is None or uid in self._failed:
            return allowed is not None
        departed = self._departed(run)
        failed = run.status.departed_counts.failed
        for job in self.jobs.newest(_failed_group(run.metadata.name)):
            failed += job.spec.run_uid == uid and job.metadata.name not in departed
            if failed > allowed:
                break
        # What the status has counted may be gone since, with no controller to see it.
        if max(failed, run.counts.failed) > allowed:
            self._failed.add(uid)
        return uid in self._failed

    def fails_now(self, run: ChaosRun) -> bool:
        """Whether `has_failed` is true; only the first time, for those who tell all its jobs."""
        if run.metadata.uid in self._told or not self.has_failed(run):
            return False
        self._told.add(run.metadata.uid)
        return True

    def next_in(self, run_id: str) -> list[str]:
        """Return the jobs of a run whose turn it is, by id; none where it has no limit."""
        run = self.runs.get(run_id)
        return self._first(run) if run is not None and run.spec.max_parallel else []

    def all_in(self, run_id: str) -> list[ChaosJob]:
        """Return the jobs of a run that are not final."""
        return list(self.jobs.newest(unfinished_group(run_id)))

    def look_at_job(self, change: CacheChange[ChaosJob]) -> None:
        """Note that a job may have become final."""
        self._look_again(change.object.spec.run_id)

    def look_at_run(self, change: CacheChange[ChaosRun]) -> None:
        """Note what a run's change may mean for its jobs; drop what is known of a deleted one."""
        name = change.object.metadata.name
        self._look_again(name)
        if change.new is None:
            uid = change.object.metadata.uid
            self._frontiers.pop(name, None)
            self._departed_sets.pop(uid, None)
            self._failed.discard(uid)
            self._told.discard(uid)

    async def _run_of(self, job: ChaosJob) -> ChaosRun | None:
        """Return the run of a job, read where it is not cached; None when it is gone or going."""
        run = self.runs.get(job.spec.run_id)
        if run is None or run.metadata.uid != job.spec.run_uid:
            run = await self.read(job.spec.run_id)
        if run is None or run.metadata.uid != job.spec.run_uid:
            return None
        return None if run.metadata.deletion_timestamp is not None else run

    def _look_again(self, run_id: str) -> None:
        if (frontier := self._frontiers.get(run_id)) is not None:
            frontier.is_stale = True

    def _first(self, run: ChaosRun) -> list[str]:
        name, uid = run.metadata.name, run.metadata.uid
        frontier = self._frontiers.get(name)
        if frontier is None or frontier.uid != uid:
            frontier = self._frontiers[name] = _Frontier(uid)
        if frontier.is_stale:
            frontier.is_stale = False
            still = [each for each in frontier.open if not self._is_final(run, each)]
            targets = run.spec.targets
            while len(still) < run.spec.max_parallel and frontier.position < len(targets):
                job_id = targets[frontier.position].job_id
                frontier.position += 1
                if not self._is_final(run, job_id):
                    still.append(job_id)
            frontier.open = still
        return frontier.open

    def _is_final(self, run: ChaosRun, job_id: str) -> bool:
        job = self.jobs.get(job_id)
        if job is not None and job.spec.run_uid == run.metadata.uid and job.status.is_final:
            return True
        return job_id in self._departed(run)

    def _departed(self, run: ChaosRun) -> frozenset[str]:
        """Return the departed jobs of a run; the list only grows."""
        listed, uid = run.status.departed, run.metadata.uid
        if not listed:
            return frozenset()
        known = self._departed_sets.get(uid)
        if known is None or len(known) != len(listed):
            known = self._departed_sets[uid] = frozenset(listed)
        return known


def groups_of_job(job: ChaosJob) -> tuple[str, ...]:
    """Return the index group of a job of a run: the unfinished ones, and those that failed."""
    if not (run_id := job.spec.run_id):
        return ()
    if not job.status.is_final:
        return (unfinished_group(run_id),)
    return (_failed_group(run_id),) if job.status.phase == "Failed" else ()


def unfinished_group(run_id: str) -> str:
    """Return the index group of a run's jobs that are not final."""
    return f"run {run_id}"


def _failed_group(run_id: str) -> str:
    return f"failed {run_id}"


def _stop(asked: RunStop) -> Reason:
    """Return the reason of a stop; a word that others chose would not stop what runs."""
    reason = asked.reason if asked.reason in STOPPING_REASONS else STOP_REQUESTED
    return Reason(reason, asked.message or _STOPPED)
