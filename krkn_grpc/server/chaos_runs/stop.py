"""Requests the stop of a run: a field of its spec that the controller obeys for all of its jobs."""

import msgspec

from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.chaos_run import STOP_REQUESTED, ChaosRun, RunStop
from krkn_grpc.server.chaos_runs.filters import find, find_live
from krkn_grpc.server.runs.stop import until_settled

_MESSAGE = "a stop of the run was requested"


async def stop(runs: Informer[ChaosRun], run_id: str, caller: str, deadline: Deadline) -> ChaosRun:
    """Stop the run for its caller, and return it; raises NoSuch, and what `set_stop` raises."""
    asked = RunStop(reason=STOP_REQUESTED, message=_MESSAGE, by=caller)
    return await set_stop(runs, await find(runs, run_id), asked, deadline)


async def set_stop(
    runs: Informer[ChaosRun], run: ChaosRun, asked: RunStop, deadline: Deadline
) -> ChaosRun:
    """Set `spec.stop` and return the run; one that is final or stopping is returned unchanged.

    The `stop` of the run is `asked` itself, and not an equal one, when this call has surely written
    it. The write is idempotent, so it is retried until it is confirmed or the deadline is over.
    Raises NoSuch when the run is gone, Changed, and the errors of a write.
    """
    run_id = run.metadata.name

    async def write(run: ChaosRun) -> ChaosRun:
        # Only at the revision that was read: a run that has ended meanwhile stays unchanged.
        unchanged = {
            "op": "test",
            "path": "/metadata/resourceVersion",
            "value": run.metadata.resource_version,
        }
        ask = {"op": "add", "path": "/spec/stop", "value": asked}
        metadata = await runs.client.patch(run_id, [unchanged, ask])
        spec = msgspec.structs.replace(run.spec, stop=asked)
        return msgspec.structs.replace(run, metadata=metadata, spec=spec)

    run = await until_settled(
        run,
        is_settled=lambda run: run.status.is_final or run.spec.stop is not None,
        write=write,
        look=lambda: find_live(runs.client, run_id),
        what="the run",
        deadline=deadline,
    )
    runs.remember(run)
    return run
