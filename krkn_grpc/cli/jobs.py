"""krkn-grpc jobs, logs and stop: the jobs of scenario runs."""

import sys
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated

import grpc
import typer
from google.api.httpbody_pb2 import HttpBody

from krkn_grpc.cli import display, failures, target_names
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.cli.watch import JobWatch
from krkn_grpc.v1.scenario_runs_pb2 import (
    GetScenarioRunStatusRequest,
    Job,
    ListScenarioRunsRequest,
    ListScenarioRunsResponse,
    StopScenarioRunRequest,
    StreamLogsRequest,
    WatchScenarioRunsRequest,
)

app = typer.Typer(help="List and watch the jobs of scenario runs (one job per target).")

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
_PAGE = 1_000


@app.command("list")
def list_jobs(
    context: typer.Context,
    target: Annotated[
        str, typer.Option(metavar="TARGET", help="Only jobs on this target (UUID or name).")
    ] = "",
    status: Annotated[
        str,
        typer.Option(
            metavar="STATUS", help="Only jobs in this status: Pending, Running, Succeeded, ..."
        ),
    ] = "",
    scenario: Annotated[str, typer.Option(metavar="NAME", help="Only jobs of this scenario.")] = "",
    cluster: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Only jobs on a target that had this name, also one that is deleted.",
        ),
    ] = "",
    run: Annotated[str, typer.Option(metavar="RUN", help="Only jobs of the run of this id.")] = "",
    selector: Annotated[
        str,
        typer.Option(
            "--selector",
            "-l",
            metavar="LABELS",
            help="Only jobs with these labels: a=b,c!=d,e in (f,g).",
        ),
    ] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="At most N jobs; 0: all.")] = 0,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Keep printing changes, until Ctrl-C.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """List jobs, newest first; with --watch, print jobs and changes, one per line."""
    client: Client = context.obj
    target_uuid = target_names.one_uuid(client, target) if target else ""
    if watch:
        wanted = WatchScenarioRunsRequest(
            target_uuid=target_uuid,
            status=status,
            scenario_name=scenario,
            cluster_name=cluster,
            run_id=run,
            label_selector=selector,
        )
        _watch(client, wanted, output)
        return
    request = ListScenarioRunsRequest(
        target_uuid=target_uuid,
        status=status,
        scenario_name=scenario,
        cluster_name=cluster,
        run_id=run,
        label_selector=selector,
        page_size=min(limit or _PAGE, _PAGE),
    )
    jobs = list(islice(all_jobs(client, request), limit or None))
    if output is Format.JSON:
        display.print_json(display.as_json(ListScenarioRunsResponse(jobs=jobs)))
    else:
        display.print_jobs(jobs)


@app.command("get")
def get_job(context: typer.Context, job: JobId, output: Output = Format.TABLE) -> None:
    """Show one job."""
    client: Client = context.obj
    request = GetScenarioRunStatusRequest(job_id=job)
    display.print_one(client.call(client.runs.GetScenarioRunStatus, request), output)


def stop(
    context: typer.Context,
    jobs: Annotated[list[str], typer.Argument(metavar="JOB", help="The ids of the jobs.")],
    output: Output = Format.TABLE,
) -> None:
    """Ask jobs to stop; each scenario gets time to roll back. Finished jobs stay as they are."""
    client: Client = context.obj
    stopped: list[Job] = []
    failure: grpc.RpcError | None = None
    for job_id in jobs:
        request = StopScenarioRunRequest(job_id=job_id)
        try:
            stopped.append(client.call(client.runs.StopScenarioRun, request))
        except grpc.RpcError as error:
            # The other jobs are stopped all the same.
            failure = failure or error
            why = failures.explanation(error, client.server)
            typer.echo(f"Error: {job_id}: {why}", err=True)
    if output is Format.JSON:
        display.print_json(display.as_json(ListScenarioRunsResponse(jobs=stopped)))
    elif stopped:
        display.print_jobs(stopped)
    if failure is not None:
        raise typer.Exit(failures.exit_code(failure))


def logs(
    context: typer.Context,
    job: JobId,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Keep printing until the job ends.")
    ] = False,
    tail: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Only the last N lines.")
    ] = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Prefix each line with its time.")
    ] = False,
) -> None:
    """Print the log of a job's scenario, unchanged."""
    client: Client = context.obj
    request = StreamLogsRequest(job_id=job, follow=follow, tail_lines=tail, timestamps=timestamps)

    print_chunks(client, lambda: client.stream(client.runs.StreamLogs, request))


def all_jobs(client: Client, request: ListScenarioRunsRequest) -> Iterator[Job]:
    """Yield the jobs of all pages; each page is requested when it is needed."""
    while True:
        page = client.call(client.runs.ListScenarioRuns, request)
        yield from page.jobs
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def print_chunks(client: Client, call: Callable[[], Iterator[HttpBody]]) -> None:
    """Print the content of a stream, unchanged."""

    def opened() -> tuple[bytes, Iterator[HttpBody]]:
        """Return the first chunk and the stream of the rest; a retry here prints nothing twice."""
        chunks = call()
        return next(chunks, HttpBody()).data, chunks

    beginning, rest = client.repeated(failures.left_unanswered, opened)
    _write(beginning)
    for chunk in rest:
        _write(chunk.data)


def _watch(client: Client, wanted: WatchScenarioRunsRequest, output: Format) -> None:
    for change in JobWatch(client, wanted):
        if output is Format.JSON:
            line: display.JsonObject = {"type": change.kind}
            if change.job is not None:
                line["job"] = display.as_json(change.job)
            display.print_json(line, is_line=True)
        elif change.job is not None:
            display.print_change(change)


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
