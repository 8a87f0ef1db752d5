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
from tests.bench.row import Goal, Row

GROUP = "writes"
_JOBS = 100
_WRITES = ("create", "update", "patch", "delete")


class _Call(NamedTuple):
    process: str
    verb: str
    what: str


# In the order in which they are made.
_PURPOSES = {
    _Call(SERVER, "create", "krknchaosruns"): "a call's record: its requestId starts nothing twice",
    _Call(SERVER, "create", "krknchaosjobs"): "the job, which is what the caller was promised",
    _Call(CONTROLLER, "create", "secrets"): "the credential of its target, for this pod alone",
    _Call(CONTROLLER, "create", "pods"): "the pod, gated: it cannot run before it is named",
    _Call(CONTROLLER, "create", "krknchaosjoblogs"): "the end of its log, which outlives its pod",
    _Call(CONTROLLER, "update", "krknchaosjobs/status"): "names the pod; that it runs; its end",
    _Call(CONTROLLER, "patch", "krknchaosruns/status"): "claims of many jobs at once, and counts",
    _Call(CONTROLLER, "patch", "pods"): "lifts the gate; lets the pod go when its end is written",
    _Call(CONTROLLER, "delete", "secrets"): "no credential outlives its pod",
    _Call(CONTROLLER, "create", "events"): "kubectl describe tells of the end",
}
# What is named above, and a little for what is not about any job: the leader's Lease.
_GOALS = {SERVER: Goal(1.2, "at most"), CONTROLLER: Goal(9.5, "at most")}


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
    named = [_row(call, calls[call]) for call in _PURPOSES if calls[call]]
    return [*named, *(_total(process, calls) for process in _GOALS)]


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


def _total(process: str, calls: Counter[_Call]) -> Row:
    own = {call: count for call, count in calls.items() if call.process == process}
    # A review of a permission is created and stored nowhere: it is a question.
    writes = sum(
        count
        for call, count in own.items()
        if call.verb in _WRITES and not call.what.endswith("reviews")
    )
    return Row(
        group=GROUP,
        name=f"{process}: all",
        value=writes / _JOBS,
        unit="a job",
        goal=_GOALS[process],
        note=f"and {(sum(own.values()) - writes) / _JOBS:.1f} reads a job",
    )


def _row(call: _Call, count: int) -> Row:
    return Row(
        group=GROUP,
        name=f"{call.process}: {call.verb} {call.what}",
        value=count / _JOBS,
        unit="a job",
        note=_PURPOSES.get(call, ""),
    )
