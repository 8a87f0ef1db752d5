"""Follows the jobs of a run until each has ended."""

from krkn_grpc.cli.client import Client
from krkn_grpc.cli.progress import RunView, has_ended
from krkn_grpc.client import loop_thread
from krkn_grpc.client.jobs import until_ended
from krkn_grpc.v1.scenario_runs_pb2 import (
    Job,
    WatchScenarioRunsRequest,
)


def follow(client: Client, run_id: str, jobs: dict[str, Job], view: RunView) -> None:
    """Update the jobs of a run, by jobId, until each has ended, and show them in the view."""
    view.show(jobs.values())
    wanted = WatchScenarioRunsRequest(run_id=run_id)
    ended = until_ended(client.connection, wanted, dict(jobs))
    for job in loop_thread.shared().iterate(ended):
        jobs[job.job_id] = job
        if has_ended(job):
            view.ended(job)
        view.show(jobs.values())
