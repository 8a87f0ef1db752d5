"""Pages, filtered lists and single jobs, by gRPC and by REST, against the empty health check."""

from typing import Any

import msgspec
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc

from deploy.local.services import SERVER
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bench import Bench
from tests.bench.row import Goal, Row
from tests.bench.scale.filling import Filling, target
from tests.bench.scale.load import Call, Load, load

GROUP = "reads"
HEALTH = "empty health check"
PAGE = "page of 500"
_FILTERED: dict[str, dict[str, Any]] = {
    "newest 10": {},
    "10 of one target": {"targetUUID": target(7)},
    "10 of one status": {"status": "Succeeded"},
    "none of one status": {"status": "Running"},
    "none of one label": {"labelSelector": "team=nobody"},
}
_COUNT = 500
_FEW = 50
_AT_ONCE = 16
_TIMES = "health checks"
_GOAL = Goal(3, "at most")


async def measure(bench: Bench, filling: Filling) -> list[Row]:
    """Measure every call, one at a time and some at once."""
    jobs, pid = len(filling.jobs), bench.services.child(SERVER).pid
    rows: list[Row] = []
    for way, calls in (("gRPC", _by_grpc(bench, filling)), ("REST", _by_rest(bench, filling))):
        ratios: list[Row] = []
        for name, call in calls.items():
            label = f"{jobs:,} jobs: {name}, {way}"
            count = _FEW if name == PAGE else _COUNT
            # Before each, for both must have been measured under the same load of the machine.
            empty = await load(calls[HEALTH], pid, count, _AT_ONCE)
            many = await load(call, pid, count, _AT_ONCE)
            one = await load(call, pid, count // 2, 1)
            row = _row(label, one, many)
            rows.append(msgspec.structs.replace(row, series=f"{name}, {way}", count=jobs))
            if name in _FILTERED:
                times = many.processor / empty.processor
                note = "by the server's processor time"
                ratios.append(
                    Row(group=GROUP, name=label, value=times, unit=_TIMES, goal=_GOAL, note=note)
                )
        rows += ratios
    return rows


def _row(name: str, one: Load, many: Load) -> Row:
    note = (
        f"p50 {one.p50:.2f}, p99 {one.p99:.2f} ms alone; "
        f"p50 {many.p50:.1f}, p99 {many.p99:.1f} ms, {_AT_ONCE} at once; "
        f"{many.processor:.2f} ms of the server's processor"
    )
    return Row(group=GROUP, name=name, value=many.a_second, unit="/s", note=note)


def _by_grpc(bench: Bench, filling: Filling) -> dict[str, Call]:
    runs = ScenarioRunServiceStub(bench.channel)
    health: Any = health_pb2_grpc.HealthStub(bench.channel)
    fields = {"targetUUID": "target_uuid", "labelSelector": "label_selector"}

    def listing(size: int, **filters: str) -> Call:
        asked = {fields.get(name, name): value for name, value in filters.items()}
        request = pb.ListScenarioRunsRequest(page_size=size, **asked)

        async def call() -> None:
            reply = await runs.ListScenarioRuns(request)
            _check(len(reply.jobs), filters, min(size, len(filling.jobs)))

        return call

    async def get() -> None:
        request = pb.GetScenarioRunStatusRequest(job_id=filling.jobs[-1])
        assert (await runs.GetScenarioRunStatus(request)).status == "Succeeded"

    async def check() -> None:
        reply: Message = await health.Check(health_pb2.HealthCheckRequest())
        assert reply == health_pb2.HealthCheckResponse(status="SERVING")

    return {
        HEALTH: check,
        "one job": get,
        PAGE: listing(500),
        **{name: listing(10, **filters) for name, filters in _FILTERED.items()},
    }


def _by_rest(bench: Bench, filling: Filling) -> dict[str, Call]:
    async def ask(path: str, **query: str) -> Any:
        async with bench.rest.get(path, params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    def listing(size: int, **filters: str) -> Call:
        async def call() -> None:
            reply = await ask("/api/v1/scenarios/run", pageSize=str(size), **filters)
            _check(len(reply["jobs"]), filters, min(size, len(filling.jobs)))

        return call

    async def get() -> None:
        assert (await ask(f"/api/v1/scenarios/run/{filling.jobs[-1]}"))["status"] == "Succeeded"

    async def check() -> None:
        assert await ask("/api/v1/health") == {"status": "healthy"}

    return {
        HEALTH: check,
        "one job": get,
        PAGE: listing(500),
        **{name: listing(10, **filters) for name, filters in _FILTERED.items()},
    }


def _check(found: int, filters: dict[str, str], size: int) -> None:
    if filters == _FILTERED["10 of one target"]:
        # At 1,000 jobs every target has one.
        assert 1 <= found <= size
    elif filters in (_FILTERED["none of one status"], _FILTERED["none of one label"]):
        assert found == 0
    else:
        assert found == size
