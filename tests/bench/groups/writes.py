"""How many writes a job takes from start to end, by who makes them, and what each is for.

Counted in the API server's audit log, on a control plane of their own: the log would slow down
what else is measured.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from deploy.local.services import ACCOUNTS, CONTROLLER, SERVER
from krkn_grpc.v1.scenario_runs_pb2_grpc import ScenarioRunServiceStub
from tests.bench.bench import Bench, running
from tests.bench.ended import until_ended
from tests.bench.example import SHORT_IMAGE, request
from tests.bench.row import Row

GROUP = "writes"
_JOBS = 100
_WRITES = ("create", "update", "patch", "delete")


class _Call(NamedTuple):
    process: str
    verb: str
    what: str


_PURPOSES = {
    _Call(SERVER, "create", "leases"): "one a call: the same requestId starts nothing twice",
    _Call(SERVER, "create", "krknchaosjobs"): "the job: what is promised to the caller",
    _Call(CONTROLLER, "create", "secrets"): "the pod gets its target's credential and no other",
    _Call(CONTROLLER, "create", "pods"): "the pod, gated: it cannot run yet",
    _Call(CONTROLLER, "update", "krknchaosjobs/status"): "",
    _Call(CONTROLLER, "patch", "pods"): "the gate goes, when named; the finalizer, when told",
    _Call(CONTROLLER, "delete", "secrets"): "no credential outlives its pod",
    _Call(CONTROLLER, "create", "events"): "kubectl describe tells what happened",
}


async def measure(bench: Bench) -> list[Row]:
    """Count the calls of one run, from its request to the end of its last job."""
    async with running(audit_log=True, progress=bench.progress) as audited:
        asked = request(await audited.targets.first(_JOBS), SHORT_IMAGE)
        await audited.quiet()
        log = audited.control_plane.audit_log
        assert log is not None, "it was asked for"
        offset = log.stat().st_size
        service: Any = ScenarioRunServiceStub(audited.channel)
        reply = await service.RunScenario(asked)
        await until_ended(audited, [job.job_id for job in reply.jobs])
        calls = _calls(log, offset, audited.namespace)
    return [_row(call, calls[call]) for call in sorted(calls)]


def _calls(log: Path, offset: int, namespace: str) -> Counter[_Call]:
    """Count the calls of our two processes, but for what they do without any job, too."""
    users = {
        f"system:serviceaccount:{namespace}:{account}": process
        for process, account in ACCOUNTS.items()
    }
    counted: Counter[_Call] = Counter()
    with log.open("rb") as file:
        file.seek(offset)
        for line in file:
            entry = json.loads(line)
            process = users.get(entry["user"]["username"])
            if process is not None and entry["stage"] == "ResponseComplete":
                reference = entry.get("objectRef", {})
                what = "/".join(
                    part for part in map(reference.get, ("resource", "subresource")) if part
                )
                counted[_Call(process, entry["verb"], what)] += 1
    return counted


def _row(call: _Call, count: int) -> Row:
    return Row(
        group=GROUP,
        name=f"{call.process}: {call.verb} {call.what}",
        value=count / _JOBS,
        unit="a job",
        note=_PURPOSES.get(call, ""),
    )
