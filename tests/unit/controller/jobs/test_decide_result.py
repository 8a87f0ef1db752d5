"""The end of a job waits for the end of its log, and nothing else does."""

import pytest

from controller.jobs.decide import decide
from controller.jobs.model import DeletePod, Observed, SetStatus
from controller.results.model import LogDigest
from krkn_grpc.resources.reported_result import ReportedResult
from tests.unit.controller.jobs.builders import A_POD, a_job, ending, named, running, seen

RESULT = ReportedResult(run_uuid="the-run", resiliency_score=87.5)
JOB = running(a_job())
READ = LogDigest(RESULT)


@pytest.mark.parametrize(
    "looked",
    [
        pytest.param(seen(JOB, A_POD.ended(0), log=None), id="it ended"),
        pytest.param(seen(JOB, A_POD.ended(3), log=None), id="it failed"),
        pytest.param(
            seen(running(a_job(stop=True)), A_POD.ended(143).deleted(5), log=None), id="stopped"
        ),
        pytest.param(
            seen(ending(JOB, "DeadlineExceeded"), A_POD.ended(143).deleted(5), log=None),
            id="ended by the controller",
        ),
        pytest.param(
            seen(JOB, None, gone=A_POD.ended(0), log=None), id="its pod is gone meanwhile"
        ),
    ],
)
def test_while_the_log_is_read_nothing_is_written(looked: Observed) -> None:
    decision = decide(looked)
    assert decision.actions == ()
    assert decision.again_in is not None


@pytest.mark.parametrize(
    "looked",
    [
        pytest.param(seen(JOB, A_POD.ended(0), log=READ), id="it ended"),
        pytest.param(seen(JOB, A_POD.ended(1), log=READ), id="it failed"),
        pytest.param(
            seen(running(a_job(stop=True)), A_POD.ended(143).deleted(5), log=READ), id="stopped"
        ),
        pytest.param(seen(JOB, None, gone=A_POD.ended(0), log=READ), id="its pod is gone"),
    ],
)
def test_the_result_is_in_the_one_final_status(looked: Observed) -> None:
    [written] = [each for each in decide(looked).actions if isinstance(each, SetStatus)]
    assert written.status.is_final
    assert written.status.result == RESULT


def test_the_result_decides_nothing() -> None:
    said = LogDigest(ReportedResult(resiliency_score=100))
    [status, _] = decide(seen(JOB, A_POD.ended(1), log=said)).actions
    assert isinstance(status, SetStatus)
    assert (status.status.phase, status.status.reason) == ("Failed", "ScenarioFailed")


@pytest.mark.parametrize(
    ("looked", "action"),
    [
        pytest.param(seen(running(a_job(stop=True)), A_POD.running()), DeletePod, id="a stop"),
        pytest.param(seen(named(a_job(stop=True)), A_POD), DeletePod, id="a stop of a gated pod"),
    ],
)
def test_a_stop_waits_for_no_log(looked: Observed, action: type) -> None:
    assert [type(each) for each in decide(looked).actions] == [action]
