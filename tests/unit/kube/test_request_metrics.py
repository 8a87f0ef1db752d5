"""Requests to the API server are counted by their answer; of a lost write it is said."""

import pytest

from krkn_grpc.kube import errors
from krkn_grpc.kube.request_metrics import measured, opened
from krkn_grpc.telemetry import metrics

JOBS = "/apis/krkn.krkn-chaos.dev/v1alpha1/namespaces/test/krknchaosjobs"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def counted(code: str, method: str, resource: str) -> float:
    labels = {"code": code, "method": method, "resource": resource}
    return metrics.SHARED.get_sample_value("rest_client_requests_total", labels) or 0.0


def lost() -> float:
    return metrics.SHARED.get_sample_value("krkn_kube_outcome_unknown_total") or 0.0


def test_an_answer_is_counted_by_its_code() -> None:
    before = counted("409", "PUT", "krknchaosjobs")
    with measured("PUT", f"{JOBS}/a-name/status") as request:
        request.code = 409
    assert counted("409", "PUT", "krknchaosjobs") == before + 1


@pytest.mark.parametrize(
    ("method", "path", "error", "is_lost"),
    [
        pytest.param("PUT", JOBS, errors.OutcomeUnknown, True, id="a write"),
        pytest.param("POST", JOBS, errors.Unreadable, True, id="a write, answered by a proxy"),
        pytest.param("POST", JOBS, errors.NotWritten, False, id="no connection"),
        pytest.param("GET", JOBS, errors.OutcomeUnknown, False, id="a read"),
        pytest.param("POST", REVIEWS, errors.OutcomeUnknown, False, id="a question"),
    ],
)
def test_a_write_whose_outcome_is_unknown_is_counted(
    method: str, path: str, error: type[errors.KubeError], is_lost: bool
) -> None:
    before, resource = lost(), path.rpartition("/")[2]
    unanswered = counted("<error>", method, resource)
    with pytest.raises(error), measured(method, path):
        raise error
    assert lost() - before == is_lost
    assert counted("<error>", method, resource) == unanswered + 1


def test_a_stream_is_counted_when_it_opens() -> None:
    before = counted("200", "GET", "krknchaosjobs"), counted("<error>", "GET", "krknchaosjobs")
    opened(JOBS, 200)
    opened(JOBS, None)
    after = counted("200", "GET", "krknchaosjobs"), counted("<error>", "GET", "krknchaosjobs")
    assert after == (before[0] + 1, before[1] + 1)
