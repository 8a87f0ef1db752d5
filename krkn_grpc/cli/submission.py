"""Sends a run, follows its jobs, and prints what became of each."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import typer

from krkn_grpc.cli import columns, display, failures, interrupts, lookup, progress, table
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format
from krkn_grpc.cli.interrupts import OnInterrupt
from krkn_grpc.cli.outcome import follow
from krkn_grpc.cli.progress import REFUSED, SUCCEEDED, run_name
from krkn_grpc.client.errors import Denied, KrknError
from krkn_grpc.v1.runs_pb2 import Run, StopRunRequest
from krkn_grpc.v1.scenario_runs_pb2 import Job, ListScenarioRunsRequest, RunScenarioResponse

# The service itself tries for 25 s to find out the result of a write.
_SETTLING_RETRIES = 2


@dataclass(frozen=True)
class Following:
    """How a run is followed and shown."""

    output: Format
    wait: bool = True
    is_verbose: bool = False
    is_check: bool = False
    """Nothing was to be started."""
    on_interrupt: OnInterrupt = OnInterrupt.LEAVE


class _Unsettled(Exception):
    """For some targets it is not known whether a job exists."""

    def __init__(self) -> None:
        super().__init__("for some targets it is not known yet whether there is a job")


def send(
    client: Client,
    call: Callable[[], RunScenarioResponse],
    request_id: str,
    on_interrupt: OnInterrupt = OnInterrupt.LEAVE,
) -> RunScenarioResponse:
    """Send the run, with retries while its result is unknown: the requestId makes that safe."""
    unsettled: list[RunScenarioResponse] = []

    def once() -> RunScenarioResponse:
        reply = call()
        if any(each.status == "Unknown" for each in reply.jobs):
            unsettled.append(reply)
            raise _Unsettled
        return reply

    try:
        with interrupts.raised():
            return client.repeated(
                lambda error: isinstance(error, _Unsettled), once, _SETTLING_RETRIES
            )
    except _Unsettled:
        _say_how_to_repeat(request_id)
        return unsettled[-1]
    except KeyboardInterrupt:
        if not client.may_have_sent():
            # To ask for the run would start it, as soon as the service is there.
            typer.echo("Nothing was started.", err=True)
        elif on_interrupt is OnInterrupt.STOP:
            # Only the reply has the id of the run; this one starts nothing that the first has not.
            _stop(client, call().run_id)
        else:
            _say_how_to_repeat(request_id)
        raise
    except KrknError as error:
        # A refusal says nothing of an attempt before it.
        if failures.left_unanswered(error) or error.was_lost_before or unsettled:
            _say_how_to_repeat(request_id)
        raise


def show(
    client: Client,
    reply: RunScenarioResponse,
    names: Mapping[str, str],
    following: Following,
    scenario: str = "",
) -> None:
    """Print what became of the run, with `wait` when each job has ended; raises Exit if not well.

    `names` are the caller's own names of targets, by uuid; `scenario` is shown of refused ones.
    """
    if reply.message:
        typer.echo(display.printable(reply.message), err=True)
    if reply.run_id and following.output.is_for_people:
        typer.echo(f"Run: {reply.run_id}", err=True)
    told = [
        Job(
            job_id=each.job_id,
            target_uuid=each.target_uuid,
            cluster_name=names.get(each.target_uuid, ""),
            scenario_name=scenario,
            status=each.status if each.success or each.status == "Unknown" else REFUSED,
            message=each.error,
        )
        for each in reply.jobs
    ]
    if following.wait:
        ended = follow_run(client, reply.run_id, told, names, following, reply)
        is_all_well = all(job.status == SUCCEEDED for job in ended)
    elif following.is_check and following.output is Format.TABLE:
        _show_checked(client, reply, told)
        is_all_well = not reply.failed_jobs
    else:
        _show_started(reply, told, names, following)
        is_all_well = not reply.failed_jobs
    if not is_all_well:
        raise typer.Exit(failures.ExitCode.NOT_ALL_WELL)


def cluster_names(client: Client, reply: RunScenarioResponse) -> dict[str, str]:
    """Return the names of the clusters on which a reply's jobs run, by target uuid."""
    if not reply.run_id:
        return {}
    jobs = lookup.all_jobs(client, ListScenarioRunsRequest(run_id=reply.run_id))
    return {job.target_uuid: job.cluster_name for job in jobs}


def follow_run(
    client: Client,
    run_id: str,
    told: Sequence[Job],
    names: Mapping[str, str],
    following: Following,
    whole: RunScenarioResponse | Run,
) -> list[Job]:
    """Wait until each of the jobs has ended, print the result, and return how each ended.

    Those without a job stay as they are told. `whole` is printed for programs, beside the jobs.
    """
    jobs = {job.job_id: job for job in told if job.job_id and job.status != REFUSED}
    view = progress.RunView(run_id, names, is_verbose=following.is_verbose)
    with not_left(client, run_id, following.on_interrupt), view:
        for job in told:
            if job.job_id not in jobs:
                view.ended(job)
        follow(client, run_id, jobs, view)
    ended = [jobs.get(job.job_id, job) for job in told]
    with _said_on_failure(run_id):
        _show_ended(run_id, ended, list(jobs.values()), following.output, whole)
    return ended


@contextlib.contextmanager
def not_left(client: Client, run_id: str, on_interrupt: OnInterrupt) -> Iterator[None]:
    """Stop the run if the block is interrupted, where that is wanted; else say that it goes on."""
    try:
        with interrupts.raised():
            yield
    except BaseException as error:
        if not run_id:
            raise
        if isinstance(error, KeyboardInterrupt) and on_interrupt is OnInterrupt.STOP:
            _stop(client, run_id)
        else:
            stop = f"krkn-grpc runs stop {run_name(run_id, is_error=True)}"
            typer.echo(f"The jobs go on. To stop them: {stop}", err=True)
        raise


def _show_ended(
    run_id: str,
    ended: Sequence[Job],
    jobs: Sequence[Job],
    output: Format,
    whole: RunScenarioResponse | Run,
) -> None:
    said = progress.summary(ended, run_name(run_id, is_error=output is not Format.TABLE))
    if output is Format.TABLE:
        display.print_line(said)
    elif output is Format.WIDE:
        display.print_things(columns.JOBS, ended, is_wide=True)
    else:
        shown = list(map(display.as_json, jobs))
        display.print_for_programs(
            {"run": display.as_json(whole), "jobs": shown},
            shown,
            map(columns.JOBS.name, jobs),
            output,
        )
    if output is not Format.TABLE:
        typer.echo(said, err=True)
    if any(job.status == "Failed" and job.HasField("start_time") for job in ended):
        logs = f"krkn-grpc logs --run {run_name(run_id, is_error=True)} --failed"
        typer.echo(f"Logs of the failed ones: {logs}", err=True)
    if any(job.status in ("Failed", REFUSED) for job in ended):
        again = f"krkn-grpc runs rerun {run_name(run_id, is_error=True)} --failed"
        typer.echo(f"To run the failed ones again: {again}", err=True)


def _show_started(
    reply: RunScenarioResponse, told: Sequence[Job], names: Mapping[str, str], following: Following
) -> None:
    """Print that the run was started, for people; what became of it, for programs."""
    output = following.output
    with _said_on_failure(reply.run_id):
        if output is Format.WIDE:
            display.print_things(columns.JOBS, told, is_wide=True)
            return
        if output is not Format.TABLE:
            items = [display.as_json(each) for each in reply.jobs]
            display.print_for_programs(display.as_json(reply), items, [reply.run_id], output)
            return
        view = progress.RunView(reply.run_id, names)
        for job in told:
            if job.status in (REFUSED, "Unknown"):
                view.ended(job)
        name = run_name(reply.run_id)
        statuses = [job.status for job in told]
        refused, unknown = statuses.count(REFUSED), statuses.count("Unknown")
        started = len(told) - refused - unknown
        parts = [f"{started} job{'' if started == 1 else 's'} started"]
        parts += [f"{refused} refused"] if refused else []
        parts += [f"{unknown} not known yet"] if unknown else []
        display.print_line(", ".join(parts) + (f" (run {name})" if name else ""))
        if started:
            typer.echo(f"To follow: krkn-grpc runs watch {name}", err=True)


def _show_checked(client: Client, reply: RunScenarioResponse, told: Sequence[Job]) -> None:
    """Print a line per target of a run that was checked alone, or refused on all targets."""
    made = _statuses(client, reply.run_id)
    rows = [(columns.target_of(job), _checked(job, made)) for job in told]
    head = (table.Column("TARGET", least=12), table.Column("RESULT", least=12))
    display.print_rows(head, rows, is_cut=sys.stdout.isatty())
    counts = {
        "made already": sum(bool(job.job_id) for job in told),
        "would run": sum(not job.job_id and not job.message for job in told),
        "refused": sum(not job.job_id and bool(job.message) for job in told),
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    typer.echo(f"{said}; nothing was started.", err=True)


def _checked(job: Job, made: Mapping[str, str]) -> str:
    """Return what would become of a target, or has already by the same requestId."""
    if job.job_id and job.status != "Unknown":
        status = made.get(job.job_id, "")
        return f"already made: {status}" if status else "already made"
    if job.status == "Unknown":
        return job.message
    return f"refused: {job.message}" if job.message else "would run"


def _statuses(client: Client, run_id: str) -> dict[str, str]:
    """Return the status of each job of a run, by its id; of jobs that are gone there is none."""
    if not run_id:
        return {}
    # The caller may be one who starts runs and reads none.
    with contextlib.suppress(Denied):
        jobs = lookup.all_jobs(client, ListScenarioRunsRequest(run_id=run_id))
        return {job.job_id: job.status for job in jobs}
    return {}


@contextlib.contextmanager
def _said_on_failure(run_id: str) -> Iterator[None]:
    """Print the run to standard error if standard output fails: a full disk, a pipe."""
    try:
        yield
    except BaseException:
        if run_id:
            typer.echo(f"This run was started: {run_id}", err=True)
        raise


def _stop(client: Client, run_id: str) -> None:
    """Stop the run, and say so; a failure of the call is said, too."""
    if not run_id:
        return
    run = client.call(client.runs.StopRun, StopRunRequest(run_id=run_id))
    left = run.counts.total - run.counts.refused
    jobs = "job" if left == 1 else "jobs"
    typer.echo(f"Stopping {left} {jobs} of run {run_name(run_id, is_error=True)}.", err=True)


def _say_how_to_repeat(request_id: str) -> None:
    typer.echo(
        "Jobs may have been started. The same command with "
        f"--request-id {request_id} says so and starts nothing twice.",
        err=True,
    )
