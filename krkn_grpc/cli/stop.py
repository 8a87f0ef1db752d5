"""krkn-grpc stop: jobs by their names, whole runs, or everything that runs."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from krkn_grpc.cli import columns, completion, display, errors, failures, lookup, questions
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.cli.progress import has_ended
from krkn_grpc.cli.reports.texts import count
from krkn_grpc.client.errors import KrknError
from krkn_grpc.v1.runs_pb2 import ListRunsRequest, Run, StopRunRequest
from krkn_grpc.v1.scenario_runs_pb2 import (
    Job,
    ListScenarioRunsRequest,
    ListScenarioRunsResponse,
    StopScenarioRunRequest,
)

_TRANSIENT = ("Pending", "Running", "Stopping")


def stop(
    context: typer.Context,
    jobs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB...",
            help="Jobs: RUN/TARGET, ids or ends of ids.",
            autocompletion=completion.job_names,
        ),
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN",
            help="All jobs of this run; repeatable.",
            autocompletion=completion.run_names,
        ),
    ] = None,
    selector: Annotated[
        str,
        typer.Option(
            "--selector", "-l", metavar="LABELS", help="All runs and jobs with these labels: a=b."
        ),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="All runs and jobs.")] = False,
    yes: questions.Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Ask jobs to stop; each scenario gets time to roll back. Finished jobs stay as they are."""
    client: Client = context.obj
    if [bool(jobs), bool(run), bool(selector.strip()), every].count(True) != 1:
        raise typer.BadParameter(
            "name jobs, or runs with --run, or those with labels with --selector, or --all"
        )
    if jobs:
        _finish(_stopped_jobs(client, jobs), output)
        return
    runs, lone = run or [], list[str]()
    if not run:
        runs, lone = _unfinished(client, selector)
        if runs or lone:
            both = f"{count(len(runs), 'run')} and {count(len(lone), 'other job')}"
            questions.confirm(f"Stop {both}?", yes=yes)
    stopped = _Stopped()
    for name in runs:
        # A run that is not found keeps no other running.
        stopped.attempt(client, name, lambda name: _of_run(client, lookup.run_id(client, name)))
    for job_id in lone:
        stopped.attempt(client, job_id, lambda job_id: [_stop_job(client, job_id)])
    _finish(stopped, output)


class _Stopped:
    """The jobs that were asked to stop, and the first failure, which keeps no other running."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.failure: Exception | None = None

    def attempt(self, client: Client, name: str, work: Callable[[str], Sequence[Job]]) -> None:
        """Add the jobs that `work` stops; print its failure after the name."""
        try:
            self.jobs += work(name)
        except (KrknError, failures.NotFound) as error:
            self.failure = self.failure or error
            errors.tell_failure(error, client.server, about=name)


def _stopped_jobs(client: Client, names: Sequence[str]) -> _Stopped:
    stopped = _Stopped()
    for name in names:
        stopped.attempt(client, name, lambda name: [_stop_job(client, lookup.job_id(client, name))])
    return stopped


def _finish(stopped: _Stopped, output: Format) -> None:
    """Print the jobs, to programs also that there are none; raises Exit if one was not stopped."""
    if stopped.jobs or not output.is_for_people:
        display.show_list(columns.JOBS, ListScenarioRunsResponse(jobs=stopped.jobs), output)
    elif stopped.failure is None:
        typer.echo("Nothing runs.", err=True)
    if stopped.failure is not None:
        raise typer.Exit(failures.exit_code(stopped.failure))


def _stop_job(client: Client, job_id: str) -> Job:
    return client.call(client.runs.StopScenarioRun, StopScenarioRunRequest(job_id=job_id))


def _of_run(client: Client, run_id: str) -> list[Job]:
    """Stop a run and return its jobs that have not ended."""
    client.call(client.runs.StopRun, StopRunRequest(run_id=run_id))
    jobs = lookup.all_jobs(client, ListScenarioRunsRequest(run_id=run_id))
    return [job for job in jobs if not has_ended(job)]


def _unfinished(client: Client, selector: str) -> tuple[list[str], list[str]]:
    """Return the ids of the runs that have not ended, and of such jobs that belong to no run."""
    runs: list[Run] = []
    lone: list[str] = []
    for status in _TRANSIENT:
        wanted = ListRunsRequest(status=status, label_selector=selector)
        runs += lookup.all_runs(client, wanted)
        jobs = ListScenarioRunsRequest(status=status, label_selector=selector)
        lone += [job.job_id for job in lookup.all_jobs(client, jobs) if not job.run_id]
    # It may have moved on between two lists.
    return list(dict.fromkeys(each.run_id for each in runs)), list(dict.fromkeys(lone))
