"""What a scenario said of its run, as one line."""

import pytest

from krkn_grpc.cli import results
from krkn_grpc.v1.scenario_runs_pb2 import (
    Job,
    ReportedHealthCheck,
    ReportedResult,
    ReportedScenario,
)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        pytest.param(ReportedResult(), "", id="nothing"),
        pytest.param(
            ReportedResult(resiliency_score=0, passed_slos=0, total_slos=9),
            "score 0, 0 of 9 SLOs",
            id="as bad as can be",
        ),
        pytest.param(
            ReportedResult(
                resiliency_score=87.5,
                failed_alerts=1,
                health_checks=[
                    ReportedHealthCheck(url="https://a/health"),
                    ReportedHealthCheck(url="https://b/health", passed=True),
                ],
                scenarios=[
                    ReportedScenario(name="pods.yml", exit_status=1, affected_pods=2),
                    ReportedScenario(type="node_scenarios", affected_nodes=1),
                ],
            ),
            "score 87.5, 1 alert, 1 of 2 health checks failed (https://a/health), "
            "pods.yml exit 1 2 pods, node_scenarios exit 0 1 node",
            id="all",
        ),
        pytest.param(
            ReportedResult(
                failed_alerts=0, health_checks=[ReportedHealthCheck(url="u", passed=True)]
            ),
            "none of 1 health check failed",
            id="good",
        ),
    ],
)
def test_in_words(result: ReportedResult, words: str) -> None:
    assert results.in_words(Job(result=result)) == words
