"""The spans of a job follow from its final status, and are the same each time."""

from datetime import timedelta

import msgspec
import pytest

from controller.jobs import spans, statuses
from controller.reason import Reason
from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.trace_context import EndedSpan, Traceparent
from tests.unit.controller.jobs.builders import JOB_ID, NOW, TARGET_UUID, a_job, ago, named, running

CALL = Traceparent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", True)
WHY = Reason("TargetBusy", "It is busy.")


def traced(job: ChaosJob, call: Traceparent | str = CALL) -> ChaosJob:
    annotations = {well_known.TRACEPARENT: str(call)}
    metadata = msgspec.structs.replace(job.metadata, annotations=annotations)
    return msgspec.structs.replace(job, metadata=metadata)


def failed(job: ChaosJob) -> ChaosJob:
    return msgspec.structs.replace(job, status=statuses.failed(job, Reason("NodeLost", ""), NOW))


def times(found: tuple[EndedSpan, ...]) -> dict[str, tuple[float, float]]:
    """Return when each begins and ends, in seconds before NOW."""
    return {
        each.name: ((NOW - each.start).total_seconds(), (NOW - each.end).total_seconds())
        for each in found
    }


def test_a_job_that_ran() -> None:
    job = failed(traced(running(a_job(age=30), 20)))
    found = spans.ended(job, "NodeLost", None)
    assert times(found) == {"job": (30, 0), "scheduling": (30, 20), "running": (20, 0)}
    whole, *parts = found
    assert whole.parent == CALL
    assert {each.parent for each in parts} == {whole.at}
    assert {each.at.trace_id for each in found} == {CALL.trace_id}
    assert len({each.at.span_id for each in found} | {CALL.span_id}) == 4
    assert whole.has_failed
    assert whole.attributes == {
        "krkn.job_id": JOB_ID,
        "krkn.target_uuid": TARGET_UUID,
        "krkn.phase": "Failed",
        "krkn.reason": "NodeLost",
    }


def test_a_job_that_waited_for_its_turn() -> None:
    job = traced(a_job(age=30))
    job = msgspec.structs.replace(job, status=statuses.queued(job, WHY, ago(29)))
    job = msgspec.structs.replace(job, status=statuses.turn_came(job, ago(25)))
    found = times(spans.ended(failed(running(job, 20)), "", None))
    assert found["waiting"] == (30, 25)
    assert found["scheduling"] == (25, 20)


def test_a_job_that_never_had_a_pod_has_only_waited() -> None:
    found = times(spans.ended(failed(traced(a_job(age=30))), "", None))
    assert found == {"job": (30, 0), "waiting": (30, 0)}


def test_a_job_whose_pod_never_started_was_only_scheduled() -> None:
    found = times(spans.ended(failed(named(traced(a_job(age=30)))), "", None))
    assert found == {"job": (30, 0), "scheduling": (30, 0)}


def test_the_end_that_the_controller_asked_for() -> None:
    job = failed(traced(running(a_job(age=30), 20)))
    assert times(spans.ended(job, "", ago(5)))["stopping"] == (5, 0)


def test_no_span_ends_before_it_begins() -> None:
    # The clock of a node may be ahead.
    job = failed(traced(running(a_job(age=30), 20, by_node=-100)))
    assert all(each.start <= each.end for each in spans.ended(job, "", NOW + timedelta(hours=1)))


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(failed(a_job()), id="no trace"),
        pytest.param(failed(traced(a_job(), "not a trace")), id="an annotation that is no trace"),
        pytest.param(failed(traced(a_job(), CALL._replace(is_sampled=False))), id="not recorded"),
        pytest.param(traced(running(a_job())), id="not final"),
    ],
)
def test_a_job_without_spans(job: ChaosJob) -> None:
    assert spans.ended(job, "", None) == ()


def test_jobs_of_one_call_have_spans_of_their_own() -> None:
    job = traced(failed(a_job()))
    metadata = msgspec.structs.replace(job.metadata, uid="another")
    other = msgspec.structs.replace(job, metadata=metadata)
    assert spans.ended(job, "", None) == spans.ended(job, "", None)
    ids = [{each.at.span_id for each in spans.ended(each, "", None)} for each in (job, other)]
    assert not ids[0] & ids[1]


def test_the_scenario_belongs_below_the_span_of_its_run() -> None:
    job = failed(traced(running(a_job())))
    [run] = [each for each in spans.ended(job, "", None) if each.name == "running"]
    assert spans.for_scenario(job, is_traced=True) == run.at
    assert spans.for_scenario(job, is_traced=False) == CALL
    quiet = CALL._replace(is_sampled=False)
    assert spans.for_scenario(traced(job, quiet), is_traced=True) == quiet
    assert spans.for_scenario(a_job(), is_traced=True) is None
