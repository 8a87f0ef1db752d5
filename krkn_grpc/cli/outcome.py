"""Follows the jobs of a run until each has ended."""

from collections.abc import Iterator, Mapping

import grpc
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import cell
from krkn_grpc.cli.watch import JobWatch
from krkn_grpc.v1.scenario_runs_pb2 import (
    GetScenarioRunStatusRequest,
    Job,
    WatchScenarioRunsRequest,
)

SUCCEEDED = "Succeeded"
# This command's status of a job that was deleted before its outcome was known.
DELETED = "Deleted"
_ENDED = {SUCCEEDED, "Failed", "Stopped", DELETED}


def has_ended(job: Job) -> bool:
    """Whether the job's status is final."""
    return job.status in _ENDED


def follow(
    client: Client,
    wanted: WatchScenarioRunsRequest,
    jobs: dict[str, Job],
    names: Mapping[str, str],
) -> None:
    """Update the jobs, by jobId, until each has ended, and show the progress.

    Prints to standard error: one line per ended job, and a progress bar on a terminal.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with Progress(
        TextColumn("{task.completed}/{task.total} ended"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as progress:
        task = progress.add_task(_summary(jobs), total=len(jobs))
        for job in _changes(client, wanted, jobs):
            jobs[job.job_id] = job
            if has_ended(job):
                console.print(cell(_sentence(job, names.get(job.target_uuid, job.target_uuid))))
            ended = sum(map(has_ended, jobs.values()))
            progress.update(task, completed=ended, description=_summary(jobs))


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


def _sentence(job: Job, target: str) -> str:
    more = [job.reason] if job.reason and job.status != SUCCEEDED else []
    more += [f"exit code {job.exit_code}"] if job.HasField("exit_code") else []
    return f"{target}: {job.status}" + (f" ({', '.join(more)})" if more else "")


def _summary(latest: Mapping[str, Job]) -> str:
    statuses = [job.status for job in latest.values()]
    return ", ".join(f"{statuses.count(each)} {each}" for each in dict.fromkeys(statuses))
