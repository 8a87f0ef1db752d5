"""Which targets of a run are run again, from what is known of its jobs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobSpec, ChaosJobStatus, Phase
from krkn_grpc.resources.chaos_run import (
    ChaosRun,
    ChaosRunSpec,
    ChaosRunStatus,
    Counts,
    DepartedCounts,
    RefusedTarget,
    RunTarget,
)
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server.chaos_runs import rerun
from krkn_grpc.server.errors import NothingToRerun, OutcomesGone

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONGEST = timedelta(seconds=25)
LATER = BEGAN + timedelta(hours=1)
GONE, MISSING = "gone", "missing"


def a_run(
    *jobs: str, refused: int = 0, succeeded: int = 0, ended: Counts | None = None
) -> ChaosRun:
    """A run whose n-th job is on the target tn; GONE is one that departed.

    `succeeded` of those had success; `ended` are the counts of a run that has ended.
    """
    departed = [f"j{number}" for number, state in enumerate(jobs) if state.startswith(GONE)]
    return ChaosRun(
        metadata=ObjectMeta(name="r", creation_timestamp=BEGAN),
        spec=ChaosRunSpec(
            targets=[RunTarget(target_uuid=f"t{n}", job_id=f"j{n}") for n in range(len(jobs))],
            refused=[RefusedTarget(target_uuid=f"r{n}", error="no") for n in range(refused)],
            fingerprint="f",
            scenario_name="n",
            scenario_image="i",
        ),
        status=ChaosRunStatus(
            phase="Running" if ended is None else "PartiallyFailed",
            counts=ended,
            departed=departed,
            departed_counts=DepartedCounts(succeeded=succeeded, failed=len(departed) - succeeded),
        ),
    )


def cache(*jobs: str) -> ObjectCache[ChaosJob]:
    """The jobs that are there; `gone Succeeded` is one that is about to go."""
    found: ObjectCache[ChaosJob] = ObjectCache()
    there = {number: state.rpartition(" ")[2] for number, state in enumerate(jobs)}
    found.replace(
        [
            ChaosJob(
                metadata=ObjectMeta(name=f"j{number}", resource_version="1"),
                spec=ChaosJobSpec(
                    job_id=f"j{number}",
                    target_uuid=f"t{number}",
                    target_uid="u",
                    target_secret_uuid="s",
                    cluster_api_url="https://a",
                    scenario_name="n",
                    scenario_image="i",
                ),
                status=msgspec.convert({"phase": state}, ChaosJobStatus),
            )
            for number, state in there.items()
            if state not in (GONE, MISSING)
        ],
        1,
    )
    return found


def failed(*jobs: str, now: datetime = LATER, **changes: Any) -> list[str]:
    """The targets that are run again."""
    run = a_run(*jobs, **changes)
    return rerun.failed_targets(run, cache(*jobs), now, LONGEST)


def test_each_status_of_a_job() -> None:
    statuses: list[Phase] = ["Pending", "Running", "Succeeded", "Failed", "Stopped"]
    assert failed(*statuses) == ["t3"]


def test_what_was_refused_comes_after_the_others() -> None:
    assert failed("Failed", "Succeeded", refused=2) == ["t0", "r0", "r1"]


def test_a_job_that_was_never_created_counts_as_soon_as_it_will_not_be() -> None:
    assert failed(MISSING, "Failed") == ["t0", "t1"]
    written_by = a_run().written_by(LONGEST)
    assert written_by is not None
    assert failed(MISSING, "Failed", now=written_by) == ["t1"]


def test_jobs_that_are_gone_without_success() -> None:
    assert failed(GONE, GONE, "Succeeded") == ["t0", "t1"]


def test_jobs_that_are_gone_and_succeeded() -> None:
    assert failed(GONE, GONE, "Failed", succeeded=2) == ["t2"]


def test_a_job_that_is_about_to_go_tells_its_own_outcome() -> None:
    assert failed(GONE, f"{GONE} Succeeded", succeeded=1) == ["t0"]
    assert failed(GONE, f"{GONE} Failed", succeeded=1) == ["t1"]


def test_where_it_is_not_known_which_have_failed_nothing_is_guessed() -> None:
    with pytest.raises(OutcomesGone, match=r"2 jobs of the run are deleted, .* which 1 of them"):
        failed(GONE, GONE, "Failed", succeeded=1)


def test_a_job_of_an_ended_run_that_is_gone_before_it_is_listed_as_such() -> None:
    assert failed(MISSING, "Succeeded", now=BEGAN, ended=Counts(succeeded=1, failed=1)) == ["t0"]
    assert failed(MISSING, "Failed", now=BEGAN, ended=Counts(succeeded=1, failed=1)) == ["t1"]
    with pytest.raises(NothingToRerun):
        failed(MISSING, "Succeeded", ended=Counts(succeeded=2))
    with pytest.raises(OutcomesGone):
        failed(MISSING, GONE, "Failed", ended=Counts(succeeded=1, failed=2))


def test_where_nothing_failed_there_is_nothing() -> None:
    with pytest.raises(NothingToRerun):
        failed("Succeeded", "Stopped", "Running")


def test_all_targets_are_those_with_jobs_and_then_the_refused() -> None:
    assert rerun.all_targets(a_run("Succeeded", GONE, refused=1)) == ["t0", "t1", "r0"]
