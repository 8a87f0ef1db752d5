"""Sends a run, follows its jobs, and prints what became of each."""

import contextlib
from collections.abc import Callable, Iterator, Mapping

import grpc
import typer

from krkn_grpc.cli import display, failures
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format
from krkn_grpc.cli.outcome import SUCCEEDED, follow, has_ended
from krkn_grpc.v1.scenario_runs_pb2 import Job, RunScenarioResponse, WatchScenarioRunsRequest

# The service itself tries for 25 s to find out the result of a write.
_SETTLING_RETRIES = 2


class _Unsettled(Exception):
    """For some targets it is not known whether a job exists."""

    def __init__(self, reply: RunScenarioResponse) -> None:
        super().__init__("for some targets it is not known yet whether there is a job")
        self.reply = reply


def send(
    client: Client, call: Callable[[], RunScenarioResponse], request_id: str
) -> RunScenarioResponse:
    """Send the run, with retries while its result is unknown: the requestId makes that safe."""

    def once() -> RunScenarioResponse:
        reply = call()
        if any(each.status == "Unknown" for each in reply.jobs):
            raise _Unsettled(reply)
        return reply

    try:
        return client.repeated(lambda error: isinstance(error, _Unsettled), once, _SETTLING_RETRIES)
    except _Unsettled as unsettled:
        _say_how_to_repeat(request_id)
        return unsettled.reply
    except (grpc.RpcError, KeyboardInterrupt) as error:
        if isinstance(error, KeyboardInterrupt) or failures.left_unanswered(error):
            _say_how_to_repeat(request_id)
        raise


def show(
    client: Client,
    reply: RunScenarioResponse,
    names: Mapping[str, str],
    output: Format,
    *,
    wait: bool,
    scenario: str = "",
) -> None:
    """Print what became of the run, with `wait` when each job has ended; raises Exit if not well.

    `names` are the caller's own names of targets, by uuid; `scenario` is shown of refused ones.
    """
    if reply.message:
        typer.echo(reply.message, err=True)
    if reply.run_id and output is Format.TABLE:
        typer.echo(f"Run: {reply.run_id}", err=True)
    is_all_well = not reply.failed_jobs
    if wait:
        ended = _waited_for(client, reply, names, output, scenario)
        is_all_well &= all(job.status == SUCCEEDED for job in ended)
    else:
        with _said_on_failure(reply):
            if output is Format.JSON:
                display.print_json(display.as_json(reply))
            else:
                display.print_run(reply, names)
    if not is_all_well:
        raise typer.Exit(failures.ExitCode.NOT_ALL_WELL)


@contextlib.contextmanager
def _said_on_failure(reply: RunScenarioResponse) -> Iterator[None]:
    """Print the started jobs to standard error if standard output fails: a full disk, a pipe."""
    try:
        yield
    except BaseException:
        started = " ".join(each.job_id for each in reply.jobs if each.job_id)
        if started:
            typer.echo(f"These jobs were started: {started}", err=True)
        raise


def _say_how_to_repeat(request_id: str) -> None:
    typer.echo(
        "Jobs may have been started. The same command with "
        f"--request-id {request_id} says so and starts nothing twice.",
        err=True,
    )


def _waited_for(
    client: Client,
    reply: RunScenarioResponse,
    names: Mapping[str, str],
    output: Format,
    scenario: str,
) -> list[Job]:
    """Wait for the started jobs, print the result per target, and return the ended jobs."""
    told = [
        Job(
            job_id=each.job_id,
            target_uuid=each.target_uuid,
            scenario_name=scenario,
            status=each.status,
            message=each.error,
        )
        for each in reply.jobs
    ]
    for job, each in zip(told, reply.jobs, strict=True):
        if not each.success:
            name = names.get(job.target_uuid, job.target_uuid)
            typer.echo(f"{name}: {job.status}: {job.message}", err=True)
    jobs = {each.job_id: job for job, each in zip(told, reply.jobs, strict=True) if each.success}
    try:
        follow(client, WatchScenarioRunsRequest(run_id=reply.run_id), jobs, names)
    except BaseException:
        left = " ".join(job_id for job_id, job in jobs.items() if not has_ended(job))
        # A service that is older than this command tells no run.
        stop = f"runs stop {reply.run_id}" if reply.run_id else f"stop {left}"
        typer.echo(f"The jobs go on. To stop them: krkn-grpc {stop}", err=True)
        raise
    with _said_on_failure(reply):
        if output is Format.JSON:
            ended = [display.as_json(job) for job in jobs.values()]
            display.print_json({"run": display.as_json(reply), "jobs": ended})
        else:
            display.print_jobs([jobs.get(job.job_id, job) for job in told], names)
    return list(jobs.values())
