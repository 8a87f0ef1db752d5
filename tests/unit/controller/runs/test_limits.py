"""What a run says to its jobs: whose turn it is, and when none may start any more."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.runs.limits import RunLimits, groups_of_job
from controller.runs.model import CREATED_TOO_LATE, RUN_DELETED, RunState
from krkn_grpc.kube.object_cache import CacheChange, ObjectCache
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun, ChaosRunStatus, Counts, DepartedCounts, RunStop
from tests.unit.controller.jobs.builders import a_job, ago
from tests.unit.controller.runs.builders import RUN_ID, a_job_of, a_run, job_id

DEPARTED = ChaosRunStatus(departed=[job_id(0)])


def going(run: ChaosRun) -> ChaosRun:
    """The run as something holds it that is being deleted."""
    metadata = msgspec.structs.replace(run.metadata, deletion_timestamp=ago(1))
    return msgspec.structs.replace(run, metadata=metadata)


class Scene:
    """A run and its jobs in the caches, and what the API server would say of the run."""

    def __init__(self, run: ChaosRun | None) -> None:
        self.stored = run
        self.reads = 0
        self.limits = RunLimits(ObjectCache(), ObjectCache(groups_of_job), self.read)
        if run is not None:
            self.limits.runs.remember(run)

    async def read(self, run_id: str) -> ChaosRun | None:
        assert run_id == RUN_ID
        self.reads += 1
        return self.stored

    def has(self, job: ChaosJob) -> ChaosJob:
        """Put the job into the cache, as the watch does."""
        old = self.limits.jobs.get(job.metadata.name)
        self.limits.jobs.remember(job)
        self.limits.look_at_job(CacheChange(old, job, 1, is_whole=True))
        return job

    def becomes(self, run: ChaosRun) -> None:
        """Let the run change, as the watch does."""
        old = self.limits.runs.get(RUN_ID)
        metadata = msgspec.structs.replace(run.metadata, resource_version="9")
        changed = msgspec.structs.replace(run, metadata=metadata)
        self.limits.runs.remember(changed)
        self.limits.look_at_run(CacheChange(old, changed, 1, is_whole=True))

    async def of(self, job: ChaosJob) -> RunState:
        state = await self.limits.of(job)
        assert state is not None
        return state

    async def may_start(self) -> list[int]:
        """The numbers of the jobs that may start."""
        numbers = range(len(self.limits.runs.get(RUN_ID).spec.targets))  # type: ignore[union-attr]
        jobs = [self.limits.jobs.get(job_id(n)) or a_job_of(n) for n in numbers]
        states = [await self.of(job) for job in jobs]
        return [
            n
            for n, job, state in zip(numbers, jobs, states, strict=True)
            if not job.status.is_final and state.has_turn and state.end is None
        ]


async def test_a_job_without_a_run_is_told_nothing() -> None:
    scene = Scene(None)
    assert await scene.limits.of(a_job()) is None
    assert scene.reads == 0


@pytest.mark.parametrize("limit", [0, 5, 6])
async def test_without_a_limit_all_may_start(limit: int) -> None:
    assert await Scene(a_run(5, max_parallel=limit)).may_start() == [0, 1, 2, 3, 4]


async def test_the_first_in_the_list_come_first() -> None:
    scene = Scene(a_run(5, max_parallel=2))
    assert await scene.may_start() == [0, 1]
    scene.has(a_job_of(3, "Pending"))
    assert await scene.may_start() == [0, 1], "one that is not seen yet may be there"
    scene.has(a_job_of(0, "Failed"))
    assert await scene.may_start() == [1, 2]
    assert scene.limits.next_in(RUN_ID) == [job_id(1), job_id(2)]
    scene.has(a_job_of(4, "Stopped"))
    assert await scene.may_start() == [1, 2]
    scene.has(a_job_of(1, "Succeeded"))
    scene.has(a_job_of(2, "Succeeded"))
    assert await scene.may_start() == [3]
    assert scene.reads == 0


async def test_a_departed_job_is_final() -> None:
    scene = Scene(a_run(3, max_parallel=1))
    scene.becomes(a_run(3, max_parallel=1, status=ChaosRunStatus(departed=[job_id(0)])))
    assert await scene.may_start() == [1]
    state = await scene.of(a_job_of(0))
    assert (state.end, state.fails) == (CREATED_TOO_LATE, True)
    assert state.end_of(is_named=False, has_started=False) == CREATED_TOO_LATE
    assert state.end_of(is_named=True, has_started=False) is None, "it is the run's own"


async def test_a_job_of_another_run_of_the_same_name_is_not_final() -> None:
    scene = Scene(a_run(2, max_parallel=1))
    job = a_job_of(0, "Succeeded")
    spec = msgspec.structs.replace(job.spec, run_uid="another")
    scene.has(msgspec.structs.replace(job, spec=spec))
    assert scene.limits.next_in(RUN_ID) == [job_id(0)]


@pytest.mark.parametrize("is_there", [False, True], ids=["gone", "another in its place"])
async def test_without_its_run_a_job_ends(is_there: bool) -> None:
    scene = Scene(None)
    metadata = msgspec.structs.replace(a_run().metadata, uid="another")
    if is_there:
        scene.stored = msgspec.structs.replace(a_run(), metadata=metadata)
    state = await scene.of(a_job_of(0))
    assert (state.end, state.fails, scene.reads) == (RUN_DELETED, True, 1)
    assert state.end_of(is_named=True, has_started=True) == RUN_DELETED


async def test_a_run_that_is_not_in_the_cache_yet_is_read() -> None:
    scene = Scene(None)
    scene.stored = a_run()
    assert (await scene.of(a_job_of(0))).end is None


async def test_a_run_that_is_being_deleted_is_gone() -> None:
    scene = Scene(going(a_run()))
    assert (await scene.of(a_job_of(0))).end == RUN_DELETED


async def test_a_stop_is_for_all() -> None:
    stop = RunStop(reason="AbortCondition", message="The alert X fires.")
    state = await Scene(a_run(stop=stop)).of(a_job_of(0))
    assert state.end is not None
    assert (state.end.reason, state.end.message) == ("AbortCondition", "The alert X fires.")
    assert state.end_of(is_named=True, has_started=True) == state.end


@pytest.mark.parametrize("word", ["Maintenance", "CreatedTooLate", "DeadlineExceeded"])
async def test_a_stop_for_a_reason_of_its_own_is_a_stop(word: str) -> None:
    """Only of certain reasons a job is known to be stopped."""
    state = await Scene(a_run(stop=RunStop(reason=word, message="tonight"))).of(a_job_of(0))
    assert state.end is not None
    assert (state.end.reason, state.end.message) == ("StopRequested", "tonight")
    assert (state.fails, state.spares) == (False, "none")


@pytest.mark.parametrize("abort", [False, True])
async def test_more_failures_than_allowed_end_the_run(abort: bool) -> None:
    scene = Scene(a_run(5, max_failures=1, abort_running=abort))
    scene.has(a_job_of(0, "Failed"))
    scene.has(a_job_of(1, "Succeeded"))
    scene.has(a_job_of(2, "Stopped"))
    assert (await scene.of(a_job_of(4))).end is None, "as many as allowed"
    scene.has(a_job_of(3, "Failed"))
    state = await scene.of(a_job_of(4))
    assert state.end is not None
    assert state.end.reason == "FailureThreshold"
    for is_named, has_started in ((False, False), (True, False)):
        assert state.end_of(is_named=is_named, has_started=has_started) == state.end
    assert state.end_of(is_named=True, has_started=True) == (state.end if abort else None)


async def test_no_failure_may_be_allowed_and_none_is_no_limit() -> None:
    for allowed, ends in ((0, True), (None, False)):
        scene = Scene(a_run(5, max_failures=allowed))
        scene.has(a_job_of(0, "Failed"))
        assert ((await scene.of(a_job_of(1))).end is not None) is ends


async def test_failures_of_departed_jobs_count_once() -> None:
    told: dict[str, Any] = {
        "departed": [job_id(0)],
        "departed_counts": DepartedCounts(failed=1),
    }
    run = a_run(5, max_failures=1, status=ChaosRunStatus(**told))
    scene = Scene(run)
    scene.has(a_job_of(0, "Failed"))
    assert not scene.limits.has_failed(run), "it is not deleted yet"
    scene.has(a_job_of(1, "Failed"))
    assert scene.limits.has_failed(run)


async def test_failures_that_the_status_has_counted_count_on() -> None:
    """Their jobs may have gone while no controller was there to see it."""
    counted = ChaosRunStatus(phase="Running", counts=Counts(total=5, failed=2, pending=3))
    for allowed, ends in ((1, True), (2, False)):
        scene = Scene(a_run(5, max_failures=allowed, status=counted))
        assert ((await scene.of(a_job_of(4))).end is not None) is ends


async def test_that_a_run_has_failed_is_told_to_all_once() -> None:
    run = a_run(5, max_failures=0)
    scene = Scene(run)
    assert not scene.limits.fails_now(run)
    scene.has(a_job_of(0, "Failed"))
    assert (await scene.of(a_job_of(1))).end is not None, "one of them asked before"
    assert [scene.limits.fails_now(run) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize(
    ("run", "stored", "is_counted"),
    [
        pytest.param(a_run(), None, False, id="not yet"),
        pytest.param(a_run(status=DEPARTED), None, True, id="counted"),
        pytest.param(None, None, True, id="the run is gone"),
        pytest.param(None, a_run(), False, id="the run is not in the cache"),
        pytest.param(None, a_run(status=DEPARTED), True, id="... and has counted it"),
        pytest.param(going(a_run()), None, True, id="the run is going"),
    ],
)
async def test_a_finished_job_may_go_when_it_is_counted(
    run: ChaosRun | None, stored: ChaosRun | None, is_counted: bool
) -> None:
    scene = Scene(run)
    scene.stored = stored
    assert await scene.limits.has_counted(a_job_of(0, "Succeeded")) is is_counted


async def test_what_has_failed_stays_so() -> None:
    scene = Scene(a_run(5, max_failures=0))
    scene.has(a_job_of(0, "Failed"))
    assert (await scene.of(a_job_of(1))).end is not None
    scene.has(a_job_of(0, "Succeeded", revision=2))
    assert (await scene.of(a_job_of(1))).end is not None


@given(
    limit=st.integers(1, 4),
    ends=st.permutations(range(8)),
    seen=st.lists(st.integers(0, 8), min_size=8, max_size=8),
)
async def test_an_old_view_starts_fewer_and_never_more(
    limit: int, ends: list[int], seen: list[int]
) -> None:
    """Each of two processes sees the ends in their order, the one later than the other."""
    one, other = Scene(a_run(8, max_parallel=limit)), Scene(a_run(8, max_parallel=limit))
    over: set[int] = set()
    running: set[int] = set()
    behind = 0
    for moment, lag in enumerate(seen):
        running |= set(await one.may_start()) | set(await other.may_start())
        running -= over
        assert len(running) <= limit, "of all that may have been started by either"
        number = next((n for n in ends if n in running), None)
        if number is None:
            continue
        over.add(number)
        running.discard(number)
        one.has(a_job_of(number, "Succeeded"))
        behind = max(behind, moment - lag)
        for late in [n for n in ends if n in over][:behind]:
            other.has(a_job_of(late, "Succeeded"))
