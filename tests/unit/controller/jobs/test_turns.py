"""Whose turn it is on a target, by the jobs and pods that there are."""

from datetime import timedelta

import msgspec
import pytest

from controller.jobs.turns import Turns, groups_of_job, groups_of_pod
from controller.work_queue import Requeue
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target
from tests.unit.controller.jobs.builders import A_POD, NOW, TARGET_UUID, a_job, a_target

OTHER_TARGET = "44444444-4444-4444-8444-444444444444"


def a_turn(*, limit: int | None, default: int = 0) -> tuple[Turns, Target]:
    """Turns without jobs, and a target with this limit."""
    turns = Turns(ObjectCache(groups_of_job), ObjectCache(groups_of_pod), default)
    return turns, a_target(max_concurrent_jobs=limit)


def job_id(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


def made(
    turns: Turns,
    number: int,
    *,
    second: int = 0,
    phase: str = "Pending",
    pod_uid: str = "",
    target: str = TARGET_UUID,
    revision: int = 1000,
) -> ChaosJob:
    """Put a job into the cache; its id has the number."""
    job = a_job(target_uuid=target)
    metadata = msgspec.structs.replace(
        job.metadata,
        name=job_id(number),
        uid=f"uid-{number}",
        resource_version=str(revision + number),
        creation_timestamp=NOW + timedelta(seconds=second),
    )
    status = msgspec.structs.replace(job.status, phase=phase, pod_uid=pod_uid)
    job = msgspec.structs.replace(job, metadata=metadata, status=status)
    turns.jobs.remember(job)
    return job


def left_pod(turns: Turns, number: int, pod: Pod) -> None:
    """Put the pod of a job that is gone into the cache."""
    metadata = msgspec.structs.replace(
        pod.metadata,
        name=names.pod_for(job_id(number)),
        labels={well_known.TARGET_UUID: TARGET_UUID},
    )
    turns.pods.remember(msgspec.structs.replace(pod, metadata=metadata))


def has_come(turns: Turns, target: Target, job: ChaosJob) -> bool:
    turn = turns.of(job, target)
    assert turn is not None
    return turn.has_come


@pytest.mark.parametrize(("limit", "default"), [(0, 0), (0, 5), (None, 0)])
def test_a_target_without_a_limit_has_no_turns(limit: int | None, default: int) -> None:
    turns, target = a_turn(limit=limit, default=default)
    assert turns.of(made(turns, 1), target) is None
    assert turns.next_on(target) == []


@pytest.mark.parametrize(("limit", "default"), [(2, 0), (2, 9), (None, 2)])
def test_the_first_ones_come_first(limit: int | None, default: int) -> None:
    turns, target = a_turn(limit=limit, default=default)
    jobs = [made(turns, number, second=second) for number, second in ((3, 1), (2, 1), (9, 0))]
    assert [has_come(turns, target, job) for job in jobs] == [False, True, True]
    assert turns.next_on(target) == [job_id(9), job_id(2)]


def test_the_end_of_one_is_the_turn_of_the_next() -> None:
    turns, target = a_turn(limit=1)
    made(turns, 1, phase="Running", pod_uid="p")
    second = made(turns, 2)
    assert not has_come(turns, target, second)
    made(turns, 1, phase="Succeeded", pod_uid="p", revision=2000)
    assert has_come(turns, target, second)
    assert turns.next_on(target) == [job_id(2)]


def test_jobs_of_other_targets_do_not_count() -> None:
    turns, target = a_turn(limit=1)
    made(turns, 1, phase="Running", pod_uid="p", target=OTHER_TARGET)
    assert has_come(turns, target, made(turns, 2))


def test_a_later_one_that_runs_already_counts() -> None:
    """As of another order within its second, or of a limit that came later."""
    turns, target = a_turn(limit=1)
    made(turns, 5, phase="Running", pod_uid="p")
    assert not has_come(turns, target, made(turns, 1))
    turns, target = a_turn(limit=2)
    made(turns, 5, phase="Running", pod_uid="p")
    assert has_come(turns, target, made(turns, 1))


@pytest.mark.parametrize(
    ("pod", "counts"),
    [
        (A_POD.ungated(), True),
        (A_POD.running(), True),
        (A_POD.running().deleted(5), True),
        (A_POD, False),
        (A_POD.ended(0), False),
        (A_POD.running().of("u", owner="").unmarked(), False),
    ],
    ids=["ungated", "running", "ending", "gated", "ended", "foreign"],
)
def test_the_pod_of_a_deleted_job_counts_while_it_can_run(pod: object, counts: bool) -> None:
    turns, target = a_turn(limit=1)
    left_pod(turns, 7, pod.build())  # type: ignore[attr-defined]
    assert has_come(turns, target, made(turns, 8)) is not counts


def test_of_two_starts_at_once_one_is_written() -> None:
    turns, target = a_turn(limit=1)
    second = made(turns, 2)
    turn = turns.of(second, target)
    assert turn is not None
    assert turn.has_come
    with turns.taken(second, turn):
        first = made(turns, 1)  # in the same second, and before it in the order
        assert not has_come(turns, target, first)
        with pytest.raises(Requeue), turns.taken(first, turn):
            pass
    assert has_come(turns, target, first), "the write failed: the status names no pod"


def test_a_start_that_failed_holds_no_turn() -> None:
    turns, target = a_turn(limit=1)
    job = made(turns, 1)
    turn = turns.of(job, target)
    assert turn is not None
    with pytest.raises(ZeroDivisionError), turns.taken(job, turn):
        raise ZeroDivisionError
    with turns.taken(made(turns, 2), turn):
        pass
