"""krkn-grpc runs: what calls of `run` have made, each as one thing."""

import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from krkn_grpc.cli import display, jobs, sources, submission
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.v1.runs_pb2 import (
    GetRunRequest,
    ListRunsRequest,
    ListRunsResponse,
    Run,
    StopRunRequest,
    StreamRunLogsAsTextRequest,
)
from krkn_grpc.v1.scenario_runs_pb2 import Job, ListScenarioRunsRequest, RerunRunRequest

app = typer.Typer(help="List, show, stop and rerun runs, and print their logs.")

RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]
_PAGE = 1_000


@app.command("list")
def list_runs(
    context: typer.Context,
    status: Annotated[
        str,
        typer.Option(
            metavar="STATUS",
            help="Only runs in this status: Running, Succeeded, PartiallyFailed, ...",
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
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="At most N runs; 0: all.")] = 0,
    output: Output = Format.TABLE,
) -> None:
    """List runs, newest first; OK says how many jobs succeeded, of all targets."""
    request = ListRunsRequest(
        status=status,
        scenario_name=scenario,
        requested_by=by,
        label_selector=selector,
        page_size=min(limit or _PAGE, _PAGE),
    )
    runs = list(islice(_listed(context.obj, request), limit or None))
    if output is Format.JSON:
        display.print_json(display.as_json(ListRunsResponse(runs=runs)))
    else:
        display.print_runs(runs)


@app.command("get")
def get_run(context: typer.Context, run: RunId, output: Output = Format.TABLE) -> None:
    """Show one run and its jobs."""
    client: Client = context.obj
    shown = client.call(client.runs.GetRun, GetRunRequest(run_id=run))
    if output is Format.JSON:
        display.print_json(display.as_json(shown))
        return
    request = ListScenarioRunsRequest(run_id=run, page_size=_PAGE)
    found = {job.job_id: job for job in jobs.all_jobs(client, request)}
    outcomes = [
        found.get(each.job_id) or _gone(each.job_id, each.target_uuid) for each in shown.targets
    ]
    outcomes += [
        Job(target_uuid=each.target_uuid, status="Refused", reason=each.error)
        for each in shown.refused
    ]
    shown.ClearField("targets")
    shown.ClearField("refused")
    display.print_one(shown, output)
    display.print_line()
    display.print_outcomes(outcomes)


@app.command("stop")
def stop_run(context: typer.Context, run: RunId, output: Output = Format.TABLE) -> None:
    """Ask all jobs of a run to stop; each scenario gets time to roll back."""
    client: Client = context.obj
    stopped = client.call(client.runs.StopRun, StopRunRequest(run_id=run))
    if output is Format.JSON:
        display.print_json(display.as_json(stopped))
    else:
        display.print_runs([stopped])


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
    output: Output = Format.TABLE,
) -> None:
    """Run the same once more, as a new run; secrets and files are given again.

    Exits with 1 when a target was refused or, with --wait, a scenario did not succeed.
    """
    client: Client = context.obj
    # Credentials that happen to be in the environment are not sent to a run that had none.
    has_login = bool(registry_username or registry_password_file or registry_token_file)
    request = RerunRunRequest(
        run_id=run,
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
    reply = submission.send(
        client, lambda: client.call(client.runs.RerunRun, request), request.request_id
    )
    submission.show(client, reply, {}, output, wait=wait)


@app.command("logs")
def run_logs(
    context: typer.Context,
    run: RunId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep printing until each job has ended.")
    ] = False,
    tail: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Only the last N lines of each job.")
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only of jobs that failed.")] = False,
) -> None:
    """Print the logs of a run's jobs, each line with its target's name before it."""
    client: Client = context.obj
    request = StreamRunLogsAsTextRequest(
        run_id=run, follow=follow, tail_lines=tail, only_failed=failed
    )
    jobs.print_chunks(client, lambda: client.stream(client.runs.StreamRunLogsAsText, request))


def _listed(client: Client, request: ListRunsRequest) -> Iterator[Run]:
    """Yield the runs of all pages; each page is requested when it is needed."""
    while True:
        page = client.call(client.runs.ListRuns, request)
        yield from page.runs
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def _gone(job_id: str, target_uuid: str) -> Job:
    """Return what is known of a job that is not listed."""
    return Job(job_id=job_id, target_uuid=target_uuid, status="Absent")
