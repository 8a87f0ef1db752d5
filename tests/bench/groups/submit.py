"""How long one RunScenario takes over 1 to 1,000 targets, by gRPC and by REST.

The bare loop creates as many of the same resources, 32 at once. The controller is stopped: it
would work on our jobs and not on those of the bare loop.
"""

import time
import uuid
from typing import Any

import msgspec

from deploy.local.services import CONTROLLER
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bare import Bare, bare, each
from tests.bench.bench import Bench
from tests.bench.clearing import clear
from tests.bench.row import Goal, Row
from tests.bench.turns import in_turn
from tests.support.custom_objects import JOBS, collection
from tests.support.requests import a_run

GROUP = "submit"
_COUNTS = (1, 10, 100, 1000)
_MANY = 100
_AT_ONCE = 32
_GOAL = Goal(0.80, "at least")


async def measure(bench: Bench) -> list[Row]:
    """Measure each number of targets."""
    await bench.targets.first(max(_COUNTS))
    rows: list[Row] = []
    await bench.services.child(CONTROLLER).stop()
    try:
        async with bare(bench, "krkn-grpc-server") as loop:
            for count in _COUNTS:
                rows += await _measure(bench, loop, count)
    finally:
        bench.services.start_again(CONTROLLER)
        await bench.services.ready()
    return rows


async def _measure(bench: Bench, loop: Bare, count: int) -> list[Row]:
    targets = await bench.targets.first(count)
    service = ScenarioRunServiceStub(bench.channel)
    body = a_run(*targets)
    request = pb.RunScenarioRequest(
        target_uuids=targets,
        scenario_image=body["scenarioImage"],
        scenario_name=body["scenarioName"],
    )
    job = await _example(bench, service, targets[0])
    path = collection(JOBS, bench.bare_namespace)

    async def by_grpc() -> float:
        began = time.perf_counter()
        reply = await service.RunScenario(request)
        took = time.perf_counter() - began
        assert reply.successful_jobs == count, reply
        return took

    async def by_rest() -> float:
        began = time.perf_counter()
        async with bench.rest.post("/api/v1/scenarios/run", json=body) as answer:
            reply = await answer.json()
        took = time.perf_counter() - began
        assert reply["successfulJobs"] == count, reply
        return took

    async def by_bare_loop() -> float:
        async def create(target: str) -> None:
            await loop.write("POST", path, _copy(job, target))

        began = time.perf_counter()
        await each(targets, create, _AT_ONCE)
        return time.perf_counter() - began

    async def between() -> None:
        if count >= _MANY:
            await clear(bench)

    await clear(bench)
    ways = {"gRPC": by_grpc, "bare loop": by_bare_loop, "REST": by_rest}
    # A call over few targets is short and leaves little: it is measured more often.
    times = await in_turn(ways, bench.rounds * (1 if count >= _MANY else 4), between)
    goal = _GOAL if count >= _MANY else None
    return [
        Row.of_times(GROUP, f"{count} targets, {way}", times[way], times["bare loop"], goal=goal)
        for way in ("gRPC", "REST")
    ]


async def _example(bench: Bench, service: Any, target: str) -> dict[str, Any]:
    """Return a job as the server writes one, with what the API server adds taken off."""
    reply = await service.RunScenario(
        pb.RunScenarioRequest(
            target_uuids=[target],
            scenario_image=a_run()["scenarioImage"],
            scenario_name=a_run()["scenarioName"],
        )
    )
    path = f"{collection(JOBS, bench.namespace)}/{reply.jobs[0].job_id}"
    stored = await bench.cluster.request("GET", path)
    job = msgspec.convert(stored, ChaosJob)
    metadata = {
        key: stored["metadata"][key]
        for key in ("labels", "annotations", "finalizers")
        if key in stored["metadata"]
    }
    assert job.spec.target_uuid == target
    return {
        "apiVersion": stored["apiVersion"],
        "kind": stored["kind"],
        "metadata": metadata,
        "spec": stored["spec"],
    }


def _copy(job: dict[str, Any], target: str) -> dict[str, Any]:
    name = str(uuid.uuid4())
    return job | {
        "metadata": job["metadata"] | {"name": name},
        "spec": job["spec"] | {"jobId": name, "targetUUID": target},
    }
