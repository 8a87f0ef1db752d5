"""Follows the jobs of a run until each has ended."""

from collections.abc import Iterator, Mapping

import grpc

from krkn_grpc.cli.client import Client
from krkn_grpc.cli.progress import DELETED, RunView, has_ended
from krkn_grpc.cli.watch import JobWatch
from krkn_grpc.v1.scenario_runs_pb2 import (
    GetScenarioRunStatusRequest,
    Job,
    WatchScenarioRunsRequest,
)


def follow(client: Client, run_id: str, jobs: dict[str, Job], view: RunView) -> None:
    """Update the jobs of a run, by jobId, until each has ended, and show them in the view."""
    view.show(jobs.values())
    for job in _changes(client, WatchScenarioRunsRequest(run_id=run_id), jobs):
        jobs[job.job_id] = job
        if has_ended(job):
            view.ended(job)
        view.show(jobs.values())


def _changes(
    client: Client, wanted: WatchScenarioRunsRequest, started: Mapping[str, Job]
) -> Iterator[Job]:
    """Yield each started job whenever it changes, until all have ended; `started` is by jobId.

    `wanted` is a filter that they all pass. A job deleted before its end gets status `Deleted`.
    """
    waiting = dict(started)
    unseen = set(started)
    for change in JobWatch(client, wanted) if waiting else ():
        jobs: list[Job] = []
        if change.job is None:
            # Deleted before the watch began, or not yet in the cache of the answering replica.
            jobs = [_looked_up(client, waiting[job_id]) for job_id in unseen]
        elif change.job.job_id in waiting:
            unseen.discard(change.job.job_id)
            is_gone = change.kind == "DELETED" and not has_ended(change.job)
            jobs = [_looked_up(client, change.job) if is_gone else change.job]
        for job in jobs:
            yield job
            if has_ended(job):
                del waiting[job.job_id]
        if not waiting:
            return


def _looked_up(client: Client, job: Job) -> Job:
    """Return the job as the API server has it now."""
    try:
        request = GetScenarioRunStatusRequest(job_id=job.job_id)
        return client.call(client.runs.GetScenarioRunStatus, request)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.NOT_FOUND:
            raise
    gone = Job()
    gone.CopyFrom(job)
    gone.status, gone.message = DELETED, "The job was deleted; how it ended is not known."
    return gone
