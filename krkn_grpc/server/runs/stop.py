"""Requests a job's stop: a field of its spec that the controller obeys in every state."""

from collections.abc import Awaitable, Callable

import msgspec

from krkn_grpc.kube.client import R
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import (
    Conflict,
    Invalid,
    NotFound,
    NotWritten,
    OutcomeUnknown,
    RuleBroken,
)
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import pause
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server.errors import Changed
from krkn_grpc.server.runs.filters import find, find_live

# The object may have changed since it was read, or an unanswered write may have succeeded.
_LOOK_AGAIN = (Conflict, Invalid, NotFound, NotWritten, OutcomeUnknown)


async def stop(jobs: Informer[ChaosJob], job_id: str, deadline: Deadline) -> ChaosJob:
    """Set `spec.stop` and return the job; a job that is final or stopping is returned unchanged.

    The write is idempotent, so it is retried until it is confirmed or the deadline is over.
    """

    async def write(job: ChaosJob) -> ChaosJob:
        # Only at the revision that was read: a job that has ended meanwhile stays unchanged.
        unchanged = {
            "op": "test",
            "path": "/metadata/resourceVersion",
            "value": job.metadata.resource_version,
        }
        ask = {"op": "add", "path": "/spec/stop", "value": True}
        metadata = await jobs.client.patch(job_id, [unchanged, ask])
        spec = msgspec.structs.replace(job.spec, stop=True)
        return msgspec.structs.replace(job, metadata=metadata, spec=spec)

    job = await until_settled(
        await find(jobs, job_id),
        is_settled=lambda job: job.status.is_final or job.spec.stop,
        write=write,
        look=lambda: find_live(jobs, job_id),
        what="the job",
        deadline=deadline,
    )
    jobs.remember(job)
    return job


async def until_settled(
    item: R,
    *,
    is_settled: Callable[[R], bool],
    write: Callable[[R], Awaitable[R]],
    look: Callable[[], Awaitable[R]],
    what: str,
    deadline: Deadline,
) -> R:
    """Return the object as soon as it is settled, after as many writes as that takes.

    `write` asks for the stop of exactly this version; `look` reads the object again. When the
    deadline is over it raises Changed, with `what` as its subject, or the error of a write that has
    had no answer by then.
    """
    attempt = 0
    while not is_settled(item):
        try:
            item = await write(item)
        except RuleBroken:
            raise
        except _LOOK_AGAIN as error:
            is_unanswered = isinstance(error, NotWritten | OutcomeUnknown)
            # The first retry after a conflict is immediate: mostly the object has just changed.
            if attempt or is_unanswered:
                await pause(error, attempt, at_most=deadline.remaining)
            item = await look()
            if deadline.remaining <= 0 and not is_settled(item):
                if is_unanswered:
                    raise
                raise Changed(f"{what} was changed by others all the while") from error
            attempt += 1
    return item
