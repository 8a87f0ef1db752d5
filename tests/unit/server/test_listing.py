"""Which jobs a filter lets through."""

import uuid

import msgspec
import pytest

from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server.runs import blueprint, listing
from krkn_grpc.server.runs.listing import Filter
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.unit.server.requests import a_run, a_target

TARGET = "6f1c1b6e-0000-4000-8000-00000000000a"


def job_on(target: str) -> ChaosJob:
    job = blueprint.job(a_run(), a_target(), str(uuid.uuid4()), "alice")
    return msgspec.structs.replace(job, spec=msgspec.structs.replace(job.spec, target_uuid=target))


def only(target: str) -> Filter:
    return listing.checked(pb.ListScenarioRunsRequest(target_uuid=target))


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
