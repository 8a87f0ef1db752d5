"""The models have what the messages have, and read it."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import Message

from krkn_grpc.client import models
from krkn_grpc.client.reading import read, time_of
from krkn_grpc.client.statuses import JobStatus, RunStatus
from krkn_grpc.v1 import (
    access_pb2,
    halts_pb2,
    runs_pb2,
    scenario_runs_pb2,
    scenarios_pb2,
    targets_pb2,
)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (models.Target, targets_pb2.Target),
        (models.Job, scenario_runs_pb2.Job),
        (models.TargetJobResult, scenario_runs_pb2.TargetJobResult),
        (models.RunRecord, runs_pb2.Run),
        (models.RunCounts, runs_pb2.RunCounts),
        (models.RunTarget, runs_pb2.RunTarget),
        (models.RefusedTarget, runs_pb2.RefusedTarget),
        (models.RunStop, runs_pb2.RunStop),
        (models.Halt, halts_pb2.Halt),
        (models.Access, access_pb2.Access),
        (models.Permission, access_pb2.Permission),
        (models.Scenario, scenarios_pb2.Scenario),
        (models.ScenarioGlobals, scenarios_pb2.ScenarioGlobals),
        (models.ScenarioSummary, scenarios_pb2.ScenarioSummary),
        (models.ScenarioField, scenarios_pb2.ScenarioField),
    ],
)
def test_no_field_is_missing(model: type[Any], message: type[Message]) -> None:
    """A field that is new in the protos fails here until the client has it."""
    assert {each.name for each in fields(model)} == set(message.DESCRIPTOR.fields_by_name)
    assert read(message(), model)


def test_what_is_left_out_is_none() -> None:
    job = read(scenario_runs_pb2.Job(status="Running"), models.Job)
    assert (job.exit_code, job.start_time, job.duration) == (None, None, None)
    done = scenario_runs_pb2.Job(
        exit_code=0, start_time="2026-01-01T00:00:00Z", completion_time="2026-01-01T00:01:00Z"
    )
    job = read(done, models.Job)
    assert job.exit_code == 0
    assert job.start_time == datetime(2026, 1, 1, tzinfo=UTC)
    assert job.duration is not None
    assert job.duration.total_seconds() == 60


def test_words_of_a_later_service_are_unknown() -> None:
    assert JobStatus("Pondering") is JobStatus.UNKNOWN
    assert not JobStatus.UNKNOWN.is_final
    assert RunStatus("PartiallyFailed").is_final
    assert str(JobStatus.RUNNING) == "Running"


def test_a_run_with_all_its_parts() -> None:
    run = runs_pb2.Run(status="Stopped", abort_on=["{}"], environment={"A": "1"})
    run.targets.add(target_uuid="t", job_id="j")
    run.counts.total = 2
    told = read(run, models.RunRecord)
    assert (told.targets, told.counts.total) == ((models.RunTarget("t", "j"),), 2)
    assert (told.abort_on, told.environment, told.stop) == (("{}",), {"A": "1"}, None)
    assert told.status is RunStatus.STOPPED


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert time_of(text) is None
    assert time_of("2026-01-01T00:00:00.123456789Z") is not None
