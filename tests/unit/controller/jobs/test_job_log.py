"""The two lines of a job: each change of the cache is told once, whatever came between."""

from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from controller.jobs import job_log
from krkn_grpc.kube.informer import CacheChange
from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from tests.unit.controller.jobs.builders import JOB_ID, TARGET_UUID, a_job, ago, with_status

BARE = a_job(age=20, cluster_name="prod", run_id="the-run", requested_by="alice")
PENDING = msgspec.structs.replace(
    BARE,
    metadata=msgspec.structs.replace(BARE.metadata, annotations={well_known.TRACE: "the-call"}),
)
RUNNING = with_status(PENDING, phase="Running", start_time=ago(15), pod_name="the-pod")
ENDED = with_status(RUNNING, phase="Failed", reason="ScenarioFailed", completion_time=ago(5))
NEVER_RAN = with_status(PENDING, phase="Stopped", reason="Halted", completion_time=ago(5))

FACTS = {
    "log_level": "info",
    "job": JOB_ID,
    "trace": "the-call",
    "run": "the-run",
    "target": TARGET_UUID,
    "cluster": "prod",
    "scenario": "node cpu hog",
    "user": "alice",
}
STARTED = FACTS | {"event": "job started", "status": "Running", "pod": "the-pod"}
FAILED = FACTS | {
    "event": "job ended",
    "status": "Failed",
    "reason": "ScenarioFailed",
    "duration_seconds": 10,
}
HALTED = FACTS | {"event": "job ended", "status": "Stopped", "reason": "Halted"}


def other_uid(job: ChaosJob) -> ChaosJob:
    """Another job of the same id."""
    return msgspec.structs.replace(job, metadata=msgspec.structs.replace(job.metadata, uid="other"))


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        pytest.param(None, PENDING, [], id="a new job"),
        pytest.param(PENDING, with_status(PENDING, reason="TargetBusy"), [], id="waits"),
        pytest.param(PENDING, RUNNING, [STARTED], id="starts"),
        pytest.param(RUNNING, with_status(RUNNING, reason="Halted"), [], id="is being ended"),
        pytest.param(RUNNING, ENDED, [FAILED], id="ends"),
        pytest.param(PENDING, ENDED, [STARTED, FAILED], id="ends before its start was seen"),
        pytest.param(PENDING, NEVER_RAN, [HALTED], id="ends without a start"),
        pytest.param(ENDED, with_status(ENDED, observed_generation=9), [], id="has ended"),
        pytest.param(ENDED, None, [], id="is deleted when it is over"),
        pytest.param(None, ENDED, [], id="a leader that begins"),
        pytest.param(
            RUNNING, None, [FACTS | {"event": "job deleted", "status": "Running"}], id="is deleted"
        ),
        pytest.param(
            RUNNING,
            other_uid(PENDING),
            [FACTS | {"event": "job deleted", "status": "Running"}],
            id="is replaced",
        ),
    ],
)
def test_a_change_is_told(
    old: ChaosJob | None, new: ChaosJob | None, lines: list[dict[str, Any]]
) -> None:
    with capture_logs() as logged:
        job_log.changed(CacheChange(old, new, 1, is_whole=True))
    assert logged == lines


def test_what_is_not_known_is_left_out() -> None:
    job = a_job()
    with capture_logs() as logged:
        job_log.changed(CacheChange(job, with_status(job, phase="Failed"), 1, is_whole=True))
    assert logged[0].keys() == {
        *("event", "log_level", "job", "target", "scenario", "status", "reason")
    }
