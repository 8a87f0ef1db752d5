"""Who spends the processor's time on a job, from the call until the job has ended.

The bare loop ends where the pods are bound, so its figures are for the start only.
"""

from statistics import median
from typing import Any

from deploy.local.services import CONTROLLER, ENVOY, SERVER
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench import processor
from tests.bench.bench import Bench
from tests.bench.clearing import clear
from tests.bench.ended import until_ended
from tests.bench.example import SHORT_IMAGE, request
from tests.bench.row import Row

GROUP = "cpu"
_JOBS = 500
_NOTES = {
    SERVER: "checks the call, writes the jobs, follows them",
    CONTROLLER: "starts the pods, follows them, writes what becomes of them",
    ENVOY: "",
    "kube-apiserver": "for all that asks it: us, scheduler, node, garbage collector",
    "etcd": "",
}


async def measure(bench: Bench) -> list[Row]:
    """Measure runs from their start to their end."""
    jobs = min(_JOBS, bench.most)
    asked = request(await bench.targets.first(jobs), SHORT_IMAGE)
    service: Any = ScenarioRunServiceStub(bench.channel)
    rounds: dict[str, list[float]] = {name: [] for name in _NOTES}
    for _ in range(bench.rounds):
        await clear(bench)
        before = processor.used(bench)
        reply = await service.RunScenario(asked)
        await until_ended(bench, [job.job_id for job in reply.jobs])
        spent = processor.between(before, processor.used(bench), jobs)
        for name, values in rounds.items():
            values.append(spent[name])
    await clear(bench)
    return [
        Row(
            group=GROUP,
            name=name,
            value=median(values),
            unit="ms a job",
            rounds=values,
            note=_NOTES[name],
        )
        for name, values in rounds.items()
    ]
