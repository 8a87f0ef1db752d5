"""The audit log: who, what, which targets, outcome; always written, and never a credential."""

import asyncio
import io
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from krkn_grpc import log
from krkn_grpc.resources.violation import Violation
from krkn_grpc.server.auth import audit
from krkn_grpc.server.errors import InvalidRequest, NotAllowed
from krkn_grpc.v1 import alerts_pb2 as alerts
from krkn_grpc.v1 import halts_pb2 as halts
from krkn_grpc.v1 import runs_pb2
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import targets_pb2 as targets

CANARY = "canary-of-a-credential"
ONE, TWO = str(uuid.uuid4()), str(uuid.uuid4())
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What was written while nothing but errors is logged."""
    stderr = io.StringIO()
    before = structlog.get_config()
    log.configure("error")
    monkeypatch.setattr(audit, "_audit", audit.unfiltered(stderr))
    yield lambda: [json.loads(line) for line in stderr.getvalue().splitlines()]
    structlog.configure(**before)


def entry(what: audit.Audit, request: Any = None) -> audit.Entry:
    """An entry of a call by alice, who asks for this."""
    written = audit.Entry(what, "/a/B")
    written.called_by("alice")
    if request is not None:
        written.asks(request)
    return written


def said(line: dict[str, Any]) -> dict[str, Any]:
    """The line without what every log line has."""
    assert line["event"] == "audit"
    assert line["level"] == "info"
    return {name: line[name] for name in line.keys() - {"event", "level", "timestamp"}}


REQUESTS = [
    pytest.param(
        audit.CREATE_TARGET,
        targets.CreateTargetRequest(cluster_name="prod", token=CANARY, password=CANARY),
        targets.CreateTargetResponse(uuid=ONE),
        {"cluster": "prod", "targets": [ONE]},
        id="create",
    ),
    pytest.param(
        audit.UPDATE_TARGET,
        targets.UpdateTargetRequest(uuid=ONE, cluster_name="prod", kubeconfig=CANARY),
        targets.UpdateTargetResponse(uuid=ONE),
        {"cluster": "prod", "targets": [ONE]},
        id="update",
    ),
    pytest.param(
        audit.PATCH_TARGET,
        targets.PatchTargetRequest(uuid=ONE, cluster_name="prod", labels={"team": CANARY}),
        targets.Target(uuid=ONE, cluster_name=CANARY),
        {"cluster": "prod", "targets": [ONE]},
        id="rename",
    ),
    pytest.param(
        audit.PATCH_TARGET,
        targets.PatchTargetRequest(uuid=ONE, remove_labels=[CANARY]),
        targets.Target(uuid=ONE, cluster_name=CANARY),
        {"targets": [ONE]},
        id="label",
    ),
    pytest.param(
        audit.CHECK_TARGET,
        targets.CheckTargetRequest(uuid=ONE),
        targets.Target(uuid=ONE, cluster_name=CANARY),
        {"targets": [ONE]},
        id="check",
    ),
    pytest.param(
        audit.DELETE_TARGET,
        targets.DeleteTargetRequest(uuid=ONE),
        targets.DeleteTargetResponse(uuid=ONE),
        {"targets": [ONE]},
        id="delete",
    ),
    pytest.param(
        audit.RUN,
        runs.RunScenarioRequest(
            target_uuids=[ONE, CANARY, TWO],
            scenario_image=CANARY,
            environment={CANARY: CANARY},
            secret_environment={"A": CANARY},
        ),
        runs.RunScenarioResponse(
            jobs=[
                runs.TargetJobResult(job_id=TWO, success=True),
                runs.TargetJobResult(error=CANARY),
                runs.TargetJobResult(job_id=ONE, status="Unknown", error=CANARY),
            ],
            successful_jobs=1,
            failed_jobs=2,
            run_id=ONE,
        ),
        {
            "targets": [ONE, TWO],
            "other_targets": 1,
            "created": 1,
            "failed": 2,
            "jobs": [TWO, ONE],
            "runs": [ONE],
        },
        id="run",
    ),
    pytest.param(
        audit.RERUN,
        runs.RerunRunRequest(
            run_id=ONE,
            only_failed=True,
            secret_environment={CANARY: CANARY},
            files=[runs.ScenarioFile(name=CANARY, content=CANARY)],
            password=CANARY,
            token=CANARY,
        ),
        runs.RunScenarioResponse(jobs=[runs.TargetJobResult(job_id=TWO, success=True)], run_id=TWO),
        {
            "again": [ONE],
            "only_failed": True,
            "created": 1,
            "failed": 0,
            "jobs": [TWO],
            "runs": [TWO],
        },
        id="rerun",
    ),
    pytest.param(
        audit.STOP_RUN,
        runs_pb2.StopRunRequest(run_id=ONE),
        runs_pb2.Run(run_id=ONE, status="Stopping", scenario_name=CANARY),
        {"runs": [ONE], "status": "Stopping"},
        id="stop of a run",
    ),
    pytest.param(
        audit.RUN,
        runs.RunScenarioRequest(target_uuids=[ONE], validate_only=True),
        runs.RunScenarioResponse(successful_jobs=1),
        {
            "targets": [ONE],
            "validate_only": True,
            "created": 0,
            "failed": 0,
            "jobs": [],
            "runs": [],
        },
        id="validate only",
    ),
    pytest.param(
        audit.CREATE_HALT,
        halts.CreateHaltRequest(reason="an incident", target_selector="env=prod"),
        halts.Halt(name="a-halt", by=CANARY),
        {"reason": "an incident", "selector": "env=prod", "halts": ["a-halt"]},
        id="halt",
    ),
    pytest.param(
        audit.RECEIVE_ALERTS,
        alerts.ReceiveAlertsRequest(alerts=[alerts.Alert(status=CANARY, labels={CANARY: CANARY})]),
        alerts.ReceiveAlertsResponse(matched=1, stopped=2),
        {"alerts": 1, "matched": 1, "stopped": 2},
        id="alerts",
    ),
    pytest.param(
        audit.DELETE_HALT,
        halts.DeleteHaltRequest(name="a-halt"),
        halts.DeleteHaltResponse(name="a-halt"),
        {"halts": ["a-halt"]},
        id="lift",
    ),
    pytest.param(
        audit.DELETE_HALT,
        halts.DeleteHaltRequest(name=f"{CANARY} is no name"),
        halts.DeleteHaltResponse(),
        {"halts": []},
        id="lift nothing",
    ),
    pytest.param(
        audit.STOP,
        runs.StopScenarioRunRequest(job_id=TWO),
        runs.Job(target_uuid=ONE, status="Stopping", message=CANARY),
        {"jobs": [TWO], "targets": [ONE], "status": "Stopping"},
        id="stop",
    ),
]


@pytest.mark.parametrize(("what", "request_", "reply", "expected"), REQUESTS)
def test_an_answered_call(
    lines: Lines, what: audit.Audit, request_: Any, reply: Any, expected: dict[str, Any]
) -> None:
    entry(what, request_).done(reply)
    [line] = lines()
    assert said(line) == {"user": "alice", "method": "/a/B", "outcome": "OK", **expected}
    assert CANARY not in json.dumps(line)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotAllowed("no"), "PERMISSION_DENIED"),
        (InvalidRequest([Violation("a", CANARY)]), "INVALID_ARGUMENT"),
        (RuntimeError(CANARY), "INTERNAL"),
        (asyncio.CancelledError(), "CANCELLED"),
    ],
)
def test_a_refused_call(lines: Lines, error: BaseException, outcome: str) -> None:
    entry(audit.DELETE_TARGET, targets.DeleteTargetRequest(uuid=CANARY)).failed(error)
    [line] = lines()
    assert said(line) == {
        "user": "alice",
        "method": "/a/B",
        "targets": [],
        "other_targets": 1,
        "outcome": outcome,
    }


def test_a_request_of_any_size_makes_a_line_of_some(lines: Lines) -> None:
    many = runs.RunScenarioRequest(target_uuids=[str(uuid.uuid4()) for _ in range(3_000)])
    entry(audit.RUN, many).failed(NotAllowed("no"))
    new = targets.CreateTargetRequest(cluster_name="x" * 1_000_000)
    entry(audit.CREATE_TARGET, new).failed(NotAllowed("no"))
    run, create = lines()
    assert (len(run["targets"]), run["other_targets"]) == (1_000, 2_000)
    assert len(create["cluster"]) == 253
