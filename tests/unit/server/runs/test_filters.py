"""Which jobs a filter lets through."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from krkn_grpc.kube.index import position_of
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server.runs import builders, filters
from krkn_grpc.server.runs.filters import Filter
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.unit.server.runs.requests import A_CHAOS_RUN, a_run, a_target

TARGET = "6f1c1b6e-0000-4000-8000-00000000000a"


def job_on(target: str) -> ChaosJob:
    job = builders.job(a_run(), a_target(), A_CHAOS_RUN, str(uuid.uuid4()), "alice")
    return msgspec.structs.replace(job, spec=msgspec.structs.replace(job.spec, target_uuid=target))


def only(target: str) -> Filter:
    return filters.checked(pb.ListScenarioRunsRequest(target_uuid=target))


def test_a_target_has_its_own_jobs() -> None:
    assert only(TARGET).passes(job_on(TARGET))
    assert not only(TARGET).passes(job_on(str(uuid.uuid4())))
    assert only("").passes(job_on(TARGET))


@pytest.mark.parametrize("text", ["x", "../x", TARGET.upper(), f"{TARGET}\n"])
def test_what_is_no_id_has_no_jobs_and_is_no_part_of_a_key(text: str) -> None:
    wanted = only(text)
    assert not wanted.passes(job_on(text))
    assert text not in (wanted.target_uuid, *wanted.spelling)
    assert wanted.spelling != only("").spelling


def of_run(run_id: str) -> ChaosJob:
    job = job_on(TARGET)
    return msgspec.structs.replace(job, spec=msgspec.structs.replace(job.spec, run_id=run_id))


def test_a_run_has_its_own_jobs_and_a_group_of_them() -> None:
    mine, other, of_none = of_run(TARGET), of_run(str(uuid.uuid4())), of_run("")
    wanted = filters.checked(pb.ListScenarioRunsRequest(run_id=TARGET))
    assert [wanted.passes(job) for job in (mine, other, of_none)] == [True, False, False]
    assert f"run {TARGET}" in filters.index_func(mine)
    assert not [group for group in filters.index_func(of_none) if group.startswith("run ")]


@pytest.mark.parametrize("text", ["x", "../x", TARGET.upper(), f"{TARGET}\n"])
def test_what_is_no_run_has_no_jobs(text: str) -> None:
    wanted = filters.checked(pb.ListScenarioRunsRequest(run_id=text))
    assert not wanted.passes(of_run(text))
    assert text not in (wanted.run_id, *wanted.spelling)


def labelled(number: int, labels: dict[str, str]) -> ChaosJob:
    """A job with these labels, the newer the higher its number."""
    job = builders.job(a_run(), a_target(), A_CHAOS_RUN, str(uuid.uuid4()), "alice")
    metadata = msgspec.structs.replace(
        job.metadata,
        creation_timestamp=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        resource_version=str(number + 1),
        labels=job.metadata.labels | labels,
    )
    return msgspec.structs.replace(job, metadata=metadata)


def many(count: int) -> dict[str, str]:
    """So many labels."""
    return {f"k{number:03}": "v" for number in range(count)}


def cached(*jobs: ChaosJob) -> ObjectCache[ChaosJob]:
    """What the server has in memory of these."""
    contents: ObjectCache[ChaosJob] = ObjectCache(filters.index_func)
    contents.replace(jobs, len(jobs) + 1)
    return contents


def names(jobs: Iterable[ChaosJob]) -> list[str]:
    """Their ids in order."""
    return [job.metadata.name for job in jobs]


def test_a_job_is_in_no_more_groups_than_a_run_may_have_labels() -> None:
    few, more = (labelled(0, many(count)) for count in (64, 100))
    of_labels = [group for group in filters.index_func(few) if group.startswith("label ")]
    assert len(of_labels) == 64
    assert len(filters.index_func(more)) == len(filters.index_func(few)) + 1


@pytest.mark.parametrize("selector", ["k000=v", "k063=v", "k064=v", "k099=v", "k000=v,k099=v"])
def test_a_selector_finds_a_label_that_has_no_group(selector: str) -> None:
    jobs = [labelled(number, many(3 + 97 * (number % 2))) for number in range(10)]
    jobs += [labelled(number, {}) for number in range(10, 500)]
    contents = cached(*jobs)
    wanted = filters.checked(pb.ListScenarioRunsRequest(label_selector=selector))
    expected = [job for job in reversed(jobs) if wanted.selects(job.metadata.labels)]
    assert expected
    assert names(wanted.among(contents, None)) == names(expected)
    found, revision = wanted.present(contents)
    assert (names(found), revision) == (names(expected), contents.revision)
    # Few are looked at, and a page goes on where the one before ended.
    assert sum(map(contents.count, wanted.groups(contents))) <= 15
    before = position_of(expected[1])
    assert names(wanted.among(contents, before)) == names(expected[2:])


def test_nothing_is_looked_at_twice_where_all_labels_have_groups() -> None:
    contents = cached(labelled(0, {"a": "b"}), labelled(1, {"a": "c"}))
    wanted = filters.checked(pb.ListScenarioRunsRequest(label_selector="a=b"))
    assert wanted.groups(contents) == ["label a=b"]
