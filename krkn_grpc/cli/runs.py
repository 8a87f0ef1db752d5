"""krkn-grpc runs: what calls of `run` have made, each as one thing."""

import uuid
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from krkn_grpc.cli import (
    columns,
    completion,
    display,
    failures,
    interrupts,
    jobs,
    logs,
    lookup,
    questions,
    sources,
    submission,
)
from krkn_grpc.cli.client import PAGE, Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.cli.progress import SUCCEEDED
from krkn_grpc.cli.submission import Following
from krkn_grpc.v1.runs_pb2 import (
    GetRunRequest,
    ListRunsRequest,
    ListRunsResponse,
    StopRunRequest,
)
from krkn_grpc.v1.scenario_runs_pb2 import RerunRunRequest

app = typer.Typer(help="List, show, stop and rerun runs, and print their logs.")

RunId = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="The run's id, or an end of it.", autocompletion=completion.run_names
    ),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print each end while waiting, not failures alone.")
]


@app.command("list")
def list_runs(
    context: typer.Context,
    status: Annotated[
        str,
        typer.Option(
            metavar="STATUS",
            help="Only runs in this status: Running, Succeeded, PartiallyFailed, ...",
            autocompletion=completion.run_statuses,
        ),
    ] = "",
    scenario: Annotated[str, typer.Option(metavar="NAME", help="Only runs of this scenario.")] = "",
    by: Annotated[str, typer.Option(metavar="USER", help="Only runs that this user made.")] = "",
    selector: Annotated[
        str,
        typer.Option(
            "--selector",
            "-l",
            metavar="LABELS",
            help="Only runs with these labels: a=b,c!=d,e in (f,g).",
        ),
    ] = "",
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="At most N runs; 0: all. Default of a table: 50."),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """List runs, newest first.

    OK says how many jobs succeeded, of all targets.
    """
    most = display.most(limit, jobs.NEWEST, output)
    request = ListRunsRequest(
        status=status,
        scenario_name=scenario,
        requested_by=by,
        label_selector=selector,
        page_size=min(most + 1, PAGE) if most else PAGE,
    )
    runs = list(islice(lookup.all_runs(context.obj, request), most + 1 if most else None))
    shown = ListRunsResponse(runs=runs[:most] if most else runs)
    display.show_list(columns.RUNS, shown, output)
    display.say_if_more(len(runs), most, limit)


@app.command("get")
def get_run(context: typer.Context, run: RunId, output: Output = Format.TABLE) -> None:
    """Show one run and its jobs."""
    client: Client = context.obj
    shown = client.call(client.runs.GetRun, GetRunRequest(run_id=lookup.run_id(client, run)))
    if not output.is_for_people:
        display.show_one(columns.RUNS, shown, output)
        return
    outcomes = lookup.jobs_of_run(client, shown)
    shown.ClearField("targets")
    shown.ClearField("refused")
    display.describe(shown)
    display.print_line()
    display.print_things(columns.OUTCOMES, outcomes, is_wide=output is Format.WIDE)


@app.command("watch")
def watch_run(
    context: typer.Context, run: RunId, verbose: Verbose = False, output: Output = Format.TABLE
) -> None:
    """Follow a run until each of its jobs has ended.

    Exits as `run --wait` does. Ctrl-C leaves the jobs as they are.
    """
    client: Client = context.obj
    shown = client.call(client.runs.GetRun, GetRunRequest(run_id=lookup.run_id(client, run)))
    following = Following(output, is_verbose=verbose)
    told = lookup.jobs_of_run(client, shown)
    for job in told:
        if job.status == lookup.ABSENT:
            # The watch finds out whether it was deleted, or is not made yet.
            job.status = "Pending"
    ended = submission.follow_run(client, shown.run_id, told, {}, following, shown)
    if any(job.status != SUCCEEDED for job in ended):
        raise typer.Exit(failures.ExitCode.NOT_ALL_WELL)


@app.command("stop")
def stop_run(context: typer.Context, run: RunId, output: Output = Format.TABLE) -> None:
    """Ask all jobs of a run to stop.

    Each scenario gets time to roll back.
    """
    client: Client = context.obj
    stopped = client.call(client.runs.StopRun, StopRunRequest(run_id=lookup.run_id(client, run)))
    if output.is_for_people:
        display.print_things(columns.RUNS, [stopped], is_wide=output is Format.WIDE)
    else:
        display.show_one(columns.RUNS, stopped, output)


@app.command("rerun")
def rerun_run(
    context: typer.Context,
    run: RunId,
    failed: Annotated[
        bool,
        typer.Option("--failed", help="Only the targets that were refused or whose job failed."),
    ] = False,
    secret_env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Secret environment variable, copied from this shell."),
    ] = None,
    secret_env_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File of secret NAME=VALUE lines; - is stdin."),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE:PATH", help="Local file, and its path in the container."),
    ] = None,
    registry_username: Annotated[
        str, typer.Option(metavar="NAME", help="User name at the registry.")
    ] = "",
    registry_password_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Password file, or KRKN_REGISTRY_PASSWORD with a user."),
    ] = None,
    registry_token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Token file instead, or KRKN_REGISTRY_TOKEN with a user."
        ),
    ] = None,
    request_id: Annotated[
        str,
        typer.Option(
            metavar="UUID", help="Id of an interrupted rerun, to retry it; nothing starts twice."
        ),
    ] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every job has ended.")] = False,
    verbose: Verbose = False,
    on_interrupt: interrupts.Option = None,
    yes: questions.Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Run the same once more, as a new run.

    Secrets and files are given again. Exits with 1 when a target was refused or, with --wait, a
    scenario did not succeed.
    """
    client: Client = context.obj
    # Credentials that happen to be in the environment are not sent to a run that had none.
    has_login = bool(registry_username or registry_password_file or registry_token_file)
    run_id = lookup.run_id(client, run)
    _confirm(client, run_id, only_failed=failed, yes=yes)
    request = RerunRunRequest(
        run_id=run_id,
        request_id=request_id or str(uuid.uuid4()),
        only_failed=failed,
        secret_environment=sources.merged(
            sources.own_variables(secret_env or []), sources.lines_of_pairs(secret_env_file)
        ),
        files=sources.scenario_files(file or []),
        username=registry_username,
        password=(
            sources.secret(registry_password_file, "KRKN_REGISTRY_PASSWORD") if has_login else ""
        ),
        token=sources.secret(registry_token_file, "KRKN_REGISTRY_TOKEN") if has_login else "",
    )
    following = Following(output, wait, verbose, on_interrupt=interrupts.chosen(on_interrupt))
    reply = submission.send(
        client,
        lambda: client.call(client.runs.RerunRun, request),
        request.request_id,
        following.on_interrupt,
    )
    with submission.not_left(client, reply.run_id, following.on_interrupt):
        names = submission.cluster_names(client, reply)
    submission.show(client, reply, names, following)


@app.command("logs")
def run_logs(
    context: typer.Context,
    run: RunId,
    follow: logs.Follow = False,
    tail: logs.Tail = None,
    failed: logs.Failed = False,
    output: Output = Format.TABLE,
) -> None:
    """Print the logs of a run's jobs, each line with its target."""
    logs.print_run_logs(context.obj, run, follow=follow, tail=tail, failed=failed, output=output)


def _confirm(client: Client, run_id: str, *, only_failed: bool, yes: bool) -> None:
    """Ask before a run on more than one cluster, where anyone can answer."""
    if yes or not questions.is_anyone_there():
        return
    run = client.call(client.runs.GetRun, GetRunRequest(run_id=run_id))
    counts = run.counts
    count = counts.failed + counts.refused if only_failed else counts.total
    if count > 1:
        which = "where it failed, " if only_failed else ""
        questions.confirm(
            f"{run.scenario_name} on {count} targets, {which}image {run.scenario_image}. Continue?",
            yes=yes,
        )
