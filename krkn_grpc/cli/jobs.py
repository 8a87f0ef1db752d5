"""krkn-grpc jobs: the jobs of scenario runs."""

import sys
from datetime import datetime
from itertools import islice
from typing import Annotated

import typer

from krkn_grpc.cli import columns, completion, display, lookup, table, target_names
from krkn_grpc.cli.client import PAGE, Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.cli.progress import DELETED
from krkn_grpc.cli.watch import Change, JobWatch
from krkn_grpc.v1.scenario_runs_pb2 import (
    GetScenarioRunStatusRequest,
    Job,
    ListScenarioRunsRequest,
    ListScenarioRunsResponse,
    WatchScenarioRunsRequest,
)

app = typer.Typer(help="List and watch the jobs of scenario runs (one job per target).")

# So many a table shows unless more are asked for.
NEWEST = 50
# TIME, STATUS, EXIT, REASON, SCENARIO; the name of the job is last.
_WATCHED = "{:<8}  {:<9}  {:>4}  {:<15}  {:<15}  {}"


@app.command("list")
def list_jobs(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Option(
            metavar="TARGET",
            help="Only jobs on this target (UUID or name).",
            autocompletion=completion.target_names,
        ),
    ] = "",
    status: Annotated[
        str,
        typer.Option(
            metavar="STATUS",
            help="Only jobs in this status: Pending, Running, Succeeded, ...",
            autocompletion=completion.job_statuses,
        ),
    ] = "",
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Only jobs of this scenario.",
            autocompletion=completion.scenario_names,
        ),
    ] = "",
    cluster: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Only jobs on a target that had this name, also one that is deleted.",
        ),
    ] = "",
    run: Annotated[
        str,
        typer.Option(
            metavar="RUN", help="Only jobs of this run.", autocompletion=completion.run_names
        ),
    ] = "",
    selector: Annotated[
        str,
        typer.Option(
            "--selector",
            "-l",
            metavar="LABELS",
            help="Only jobs with these labels: a=b,c!=d,e in (f,g).",
        ),
    ] = "",
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="At most N jobs; 0: all. Default of a table: 50."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Keep printing changes, until Ctrl-C.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """List jobs, newest first, or --watch them.

    With --watch it prints the jobs and then their changes, one per line.
    """
    client: Client = context.obj
    if watch and limit is not None:
        raise typer.BadParameter("--limit is for a list: --watch shows every change")
    target_uuid = target_names.one_uuid(client, target) if target else ""
    run_id = lookup.run_id(client, run) if run else ""
    if watch:
        wanted = WatchScenarioRunsRequest(
            target_uuid=target_uuid,
            status=status,
            scenario_name=scenario,
            cluster_name=cluster,
            run_id=run_id,
            label_selector=selector,
        )
        _watch(client, wanted, output)
        return
    most = display.most(limit, NEWEST, output)
    request = ListScenarioRunsRequest(
        target_uuid=target_uuid,
        status=status,
        scenario_name=scenario,
        cluster_name=cluster,
        run_id=run_id,
        label_selector=selector,
        page_size=min(most + 1, PAGE) if most else PAGE,
    )
    jobs = list(islice(lookup.all_jobs(client, request), most + 1 if most else None))
    shown = ListScenarioRunsResponse(jobs=jobs[:most] if most else jobs)
    display.show_list(columns.JOBS, shown, output)
    display.say_if_more(len(jobs), most, limit)


@app.command("get")
def get_job(
    context: typer.Context,
    job: Annotated[
        str,
        typer.Argument(
            metavar="JOB",
            help="The job: RUN/TARGET, its id or an end of it.",
            autocompletion=completion.job_names,
        ),
    ],
    output: Output = Format.TABLE,
) -> None:
    """Show one job."""
    client: Client = context.obj
    request = GetScenarioRunStatusRequest(job_id=lookup.job_id(client, job))
    found = client.call(client.runs.GetScenarioRunStatus, request)
    display.show_one(columns.JOBS, found, output)


def _watch(client: Client, wanted: WatchScenarioRunsRequest, output: Format) -> None:
    if output is Format.YAML:
        raise typer.BadParameter("--watch prints lines: use --output jsonl")
    width = display.terminal_width() if sys.stdout.isatty() and output is Format.TABLE else None
    if output.is_for_people:
        titles = ("TIME", "STATUS", "EXIT", "REASON", "SCENARIO", "JOB")
        display.print_line(_fitted(_WATCHED.format(*titles), width))
    for change in JobWatch(client, wanted):
        if output in (Format.JSON, Format.JSONL):
            line: display.JsonObject = {"type": change.kind}
            if change.job is not None:
                line["job"] = display.as_json(change.job)
            display.print_json(line, is_line=True)
        elif change.job is not None and output is Format.NAME:
            display.print_line(columns.JOBS.name(change.job))
        elif change.job is not None:
            display.print_line(_fitted(_changed(change, change.job, is_short=bool(width)), width))


def _changed(change: Change, job: Job, *, is_short: bool) -> str:
    """Return a line for a change: when it was seen, and what the job is now."""
    return _WATCHED.format(
        datetime.now().astimezone().strftime("%H:%M:%S"),
        DELETED if change.kind == "DELETED" else job.status,
        job.exit_code if job.HasField("exit_code") else "",
        job.reason,
        job.scenario_name,
        columns.job_name(job, is_short=is_short),
    )


def _fitted(line: str, width: int | None) -> str:
    return line if width is None else table.cut(line, width)
