"""The audit log of the running server: a line for every call that changes something."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from grpc import StatusCode

from krkn_grpc.resources.meta import API_VERSION
from krkn_grpc.v1 import halts_pb2 as halts
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import scenario_runs_pb2_grpc as runs_grpc
from tests.integration.auth.callers import Metadata
from tests.integration.auth.calls import Outcome, call
from tests.integration.auth.conftest import Guarded
from tests.integration.auth.test_runs import register
from tests.support.api_proxy import Call, open_gate
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import IMAGE, canary, unused_name, unused_url
from tests.support.waiting import eventually

TARGET = "/krkn.v1.TargetService/"
RUN = "/krkn.v1.ScenarioRunService/"
HALT = "/krkn.v1.HaltService/"
ALERT = "/krkn.v1.AlertService/"


async def line_of(guarded: Guarded, trace: str) -> dict[str, Any]:
    """The one audit line of a call with this x-request-id, without what every line has."""

    async def look() -> list[dict[str, Any]]:
        return [line for line in guarded.audit_lines if line["trace"] == trace]

    [line] = await eventually(look)
    return {name: line[name] for name in line.keys() - {"event", "level", "timestamp", "trace"}}


async def audited(
    guarded: Guarded, metadata: Metadata, name: str, **fields: Any
) -> tuple[Outcome, dict[str, Any]]:
    """Call, and return what came back and the audit line."""
    trace = str(uuid.uuid4())
    metadata = (*metadata, ("x-request-id", trace))
    found = await call(guarded.running.channel, name, metadata, **fields)
    return found, await line_of(guarded, trace)


async def test_the_life_of_a_target(guarded: Guarded) -> None:
    admin = await guarded.callers.metadata("target-admin")
    secret, name = canary(), unused_name()
    fields = {
        "cluster_name": name,
        "secret_type": "token",
        "cluster_api_url": unused_url(),
        "token": secret,
    }
    who = {"user": guarded.callers.name("target-admin"), "outcome": "OK"}
    created, line = await audited(guarded, admin, "CreateTarget", **fields)
    targets = [created.reply.uuid]
    what = {"method": f"{TARGET}CreateTarget", "cluster": name, "targets": targets}
    assert line == who | what
    _, line = await audited(guarded, admin, "UpdateTarget", uuid=created.reply.uuid, **fields)
    assert line == who | what | {"method": f"{TARGET}UpdateTarget"}
    _, line = await audited(guarded, admin, "DeleteTarget", uuid=created.reply.uuid)
    assert line == who | {"method": f"{TARGET}DeleteTarget", "targets": targets}
    assert secret not in json.dumps(guarded.events)
    assert admin[0][1].removeprefix("Bearer ") not in json.dumps(guarded.events)


async def test_a_halt_and_its_end(guarded: Guarded) -> None:
    halter = await guarded.callers.metadata("halter")
    who = {"user": guarded.callers.name("halter"), "outcome": "OK"}
    asked = {"reason": "an incident", "target_selector": "halted"}
    made, line = await audited(guarded, halter, "CreateHalt", **asked)
    assert made.reply.by == guarded.callers.name("halter")
    name = made.reply.name
    what = {"method": f"{HALT}CreateHalt", "reason": "an incident", "selector": "halted"}
    assert line == who | what | {"halts": [name]}
    lifting = halts.DeleteHaltRequest(name=name)
    _, line = await audited(guarded, halter, "DeleteHalt", request=lifting)
    assert line == who | {"method": f"{HALT}DeleteHalt", "halts": [name]}


async def test_alerts_and_the_runs_that_they_stop(guarded: Guarded) -> None:
    target = await register(guarded)
    runner = await guarded.callers.metadata("runner")
    alerter = await guarded.callers.metadata("alerter")
    fields = {"scenario_image": "registry.example/krkn-hub", "scenario_name": "pods"}
    name, secret = f"Alert{uuid.uuid4().hex}", canary()
    ours = {"target_uuids": [target], "abort_on": [f'{{alertname="{name}"}}'], **fields}
    found, _ = await audited(guarded, runner, "RunScenario", **ours)

    firing = {"status": "firing", "labels": {"alertname": name, "detail": secret}}
    resolved = {"status": "resolved", "labels": {"alertname": secret}}
    _, line = await audited(guarded, alerter, "ReceiveAlerts", alerts=[firing, resolved])
    assert line == {
        "user": guarded.callers.name("alerter"),
        "outcome": "OK",
        "method": f"{ALERT}ReceiveAlerts",
        "alerts": 2,
        "matched": 1,
        "stopped": 1,
    }
    assert secret not in json.dumps(guarded.events)
    run = await call(guarded.running.channel, "GetRun", runner, run_id=found.reply.run_id)
    assert run.reply.stop.by == guarded.callers.name("alerter")


async def test_a_run_and_its_stop(guarded: Guarded) -> None:
    target, absent = await register(guarded), str(uuid.uuid4())
    runner = await guarded.callers.metadata("runner")
    fields = {"scenario_image": "registry.example/krkn-hub", "scenario_name": "pods"}
    found, line = await audited(
        guarded, runner, "RunScenario", target_uuids=[target, absent, "no id"], **fields
    )
    job_id = found.reply.jobs[0].job_id
    who = {"user": guarded.callers.name("runner"), "outcome": "OK"}
    assert line == who | {
        "method": f"{RUN}RunScenario",
        "targets": [target, absent],
        "other_targets": 1,
        "created": 1,
        "failed": 2,
        "jobs": [job_id],
        "runs": [found.reply.run_id],
    }
    _, line = await audited(guarded, runner, "StopScenarioRun", job_id=job_id)
    method = f"{RUN}StopScenarioRun"
    assert line == who | {
        "method": method,
        "jobs": [job_id],
        "targets": [target],
        "status": "Stopping",
    }


async def test_a_run_that_is_stopped_and_run_again(guarded: Guarded) -> None:
    target = await register(guarded)
    runner = await guarded.callers.metadata("runner")
    fields = {"scenario_image": "registry.example/krkn-hub", "scenario_name": "pods"}
    found, _ = await audited(guarded, runner, "RunScenario", target_uuids=[target], **fields)
    run_id = found.reply.run_id
    who = {"user": guarded.callers.name("runner"), "outcome": "OK"}
    _, line = await audited(guarded, runner, "StopRun", run_id=run_id)
    assert line == who | {"method": f"{RUN}StopRun", "runs": [run_id], "status": "Stopping"}
    found, line = await audited(guarded, runner, "RerunRun", run_id=run_id)
    assert line == who | {
        "method": f"{RUN}RerunRun",
        "again": [run_id],
        "created": 1,
        "failed": 0,
        "jobs": [found.reply.jobs[0].job_id],
        "runs": [found.reply.run_id],
    }


Who = Callable[[Guarded], Awaitable[Metadata]]


async def the_viewer(guarded: Guarded) -> Metadata:
    """Known, and not allowed."""
    return await guarded.callers.metadata("viewer")


async def a_stranger(guarded: Guarded) -> Metadata:
    """Not known."""
    return (("authorization", "Bearer made-up"),)


@pytest.mark.parametrize(
    ("who", "user", "outcome"),
    [(the_viewer, "viewer", "PERMISSION_DENIED"), (a_stranger, "", "UNAUTHENTICATED")],
)
@pytest.mark.parametrize(
    "name",
    [
        *("CreateTarget", "UpdateTarget", "PatchTarget", "CheckTarget", "DeleteTarget"),
        *("RunScenario", "StopScenarioRun", "StopRun", "RerunRun", "CreateHalt"),
        "ReceiveAlerts",
    ],
)
async def test_who_is_refused_is_written_down(
    guarded: Guarded, name: str, who: Who, user: str, outcome: str
) -> None:
    _, line = await audited(guarded, await who(guarded), name)
    assert (line["user"], line["outcome"]) == (user and guarded.callers.name(user), outcome)
    assert line["method"].endswith(f"/{name}")


async def test_a_request_that_is_not_in_order_is_written_down(guarded: Guarded) -> None:
    runner = await guarded.callers.metadata("runner")
    secret = canary()
    _, line = await audited(
        guarded, runner, "RunScenario", target_uuids=[secret], environment={"A": secret}
    )
    assert (line["outcome"], line["other_targets"]) == ("INVALID_ARGUMENT", 1)
    assert secret not in json.dumps(guarded.events)


async def test_reading_is_not_written_down(guarded: Guarded) -> None:
    before = len(guarded.audit_lines)
    for name in ("ListTargets", "GetTarget", "ListScenarioRuns", "GetScenarioRunStatus"):
        await call(guarded.running.channel, name, await guarded.callers.metadata("viewer"))
    await call(guarded.running.channel, "StopScenarioRun", await guarded.callers.metadata("viewer"))
    await eventually(lambda: _count(guarded), lambda count: count > before)
    assert len(guarded.audit_lines) == before + 1


async def _count(guarded: Guarded) -> int:
    return len(guarded.audit_lines)


@pytest.mark.parametrize("seconds", [0.9, None], ids=["has no more time", "hangs up"])
async def test_what_was_done_is_written_down_though_the_caller_left(
    guarded: Guarded, seconds: float | None
) -> None:
    target = await register(guarded)
    runner = await guarded.callers.metadata("runner")
    sent, may_pass = asyncio.Event(), asyncio.Event()

    async def hold(seen: Call) -> None:
        if seen.method == "POST" and seen.path == collection(JOBS, guarded.running.namespace):
            sent.set()
            await may_pass.wait()

    guarded.proxy.before = hold
    request = runs.RunScenarioRequest(
        target_uuids=[target], scenario_image=IMAGE, scenario_name="pods"
    )
    being_sent = asyncio.create_task(sent.wait())
    while not sent.is_set():  # A caller whose time was over before that calls again.
        trace = str(uuid.uuid4())
        caller = runs_grpc.ScenarioRunServiceStub(guarded.running.channel).RunScenario(
            request, metadata=(*runner, ("x-request-id", trace)), timeout=seconds
        )
        ended = asyncio.create_task(caller.code())
        await asyncio.wait({being_sent, ended}, return_when=asyncio.FIRST_COMPLETED)
    if seconds is None:
        caller.cancel()
    assert await ended in (StatusCode.CANCELLED, StatusCode.DEADLINE_EXCEEDED)
    may_pass.set()
    guarded.proxy.before = open_gate
    line = await line_of(guarded, trace)
    assert (line["outcome"], line["created"], line["failed"]) == ("OK", 1, 0)
    [job_id] = line["jobs"]
    path = f"/apis/{API_VERSION}/namespaces/{guarded.running.namespace}/{JOBS}/{job_id}"
    assert (await guarded.running.cluster.request("GET", path))["spec"]["targetUUID"] == target
