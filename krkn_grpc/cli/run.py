"""krkn-grpc run: a scenario on many targets, and what became of it on each."""

import uuid
from pathlib import Path
from typing import Annotated

import grpc
import typer

from krkn_grpc.cli import display, failures, naming, sources
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.cli.outcome import SUCCEEDED, follow, has_ended
from krkn_grpc.v1.scenario_runs_pb2 import (
    Job,
    RunScenarioRequest,
    RunScenarioResponse,
    WatchScenarioRunsRequest,
)

# The service itself tries for 25 s to settle what became of a write.
_SETTLING_RETRIES = 2


class _Unsettled(Exception):
    """For some target it is not known whether there is a job."""

    def __init__(self, reply: RunScenarioResponse) -> None:
        super().__init__("for some targets it is not known yet whether there is a job")
        self.reply = reply


def run(
    context: typer.Context,
    scenario: Annotated[str, typer.Option(metavar="NAME", help="The scenario's name.")],
    image: Annotated[str, typer.Option(metavar="IMAGE", help="The scenario's image.")],
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target", "-t", metavar="TARGET", help="By uuid or cluster name; repeatable."
        ),
    ] = None,
    all_targets: Annotated[bool, typer.Option("--all", help="Run on every target.")] = False,
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env", "-e", metavar="NAME[=VALUE]", help="A variable; without VALUE, this command's."
        ),
    ] = None,
    secret_env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A secret variable: its value is this command's own."),
    ] = None,
    secret_env_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Secret variables, NAME=VALUE lines; - is stdin."),
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE:PATH", help="A file, and where the scenario finds it."),
    ] = None,
    kubeconfig_path: Annotated[
        str, typer.Option(metavar="PATH", help="Where the scenario finds the kubeconfig.")
    ] = "",
    registry_url: Annotated[str, typer.Option(metavar="URL", help="A registry to log in to.")] = "",
    registry_username: Annotated[
        str, typer.Option(metavar="NAME", help="The user at the registry.")
    ] = "",
    registry_password_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Holds the password. Or set KRKN_REGISTRY_PASSWORD."),
    ] = None,
    registry_token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Holds a token instead. Or set KRKN_REGISTRY_TOKEN."),
    ] = None,
    timeout: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="How long a scenario may run.")
    ] = None,
    ttl: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="How long finished jobs are kept.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A label for the jobs.")
    ] = None,
    require_ready: Annotated[
        bool, typer.Option("--require-ready", help="Refuse targets that are not ready.")
    ] = False,
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Check everything and start nothing.")
    ] = False,
    request_id: Annotated[
        str,
        typer.Option(
            metavar="UUID", help="Of a run that was cut off: the same again starts nothing twice."
        ),
    ] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every job has ended.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Run a scenario on each target, as one job a target.

    Exits with 1 when a target was refused or, with --wait, a scenario did not succeed.
    """
    client: Client = context.obj
    names = _targets(client, target or [], every=all_targets)
    # Without a URL there is no login, and what happens to be in the environment is not sent.
    has_login = bool(registry_url or registry_password_file or registry_token_file)
    request = RunScenarioRequest(
        target_uuids=names,
        scenario_name=scenario,
        scenario_image=image,
        environment=sources.pairs(env or []),
        secret_environment=sources.merged(
            sources.own_variables(secret_env or []), sources.lines_of_pairs(secret_env_file)
        ),
        files=sources.scenario_files(file or []),
        kubeconfig_path=kubeconfig_path,
        registry_url=registry_url,
        username=registry_username,
        password=(
            sources.secret(registry_password_file, "KRKN_REGISTRY_PASSWORD") if has_login else ""
        ),
        token=sources.secret(registry_token_file, "KRKN_REGISTRY_TOKEN") if has_login else "",
        timeout_seconds=timeout,
        ttl_seconds_after_finished=ttl,
        labels=sources.labels(label or []),
        require_ready=require_ready,
        validate_only=validate_only,
        request_id=request_id or str(uuid.uuid4()),
    )
    reply = _submitted(client, request)
    if reply.message:
        typer.echo(reply.message, err=True)
    is_all_well = not reply.failed_jobs
    if wait and not validate_only:
        ended = _waited_for(client, request, reply, names, output)
        is_all_well &= all(job.status == SUCCEEDED for job in ended)
    elif output is Format.JSON:
        display.print_json(display.as_json(reply))
    else:
        display.print_run(reply, names)
    if not is_all_well:
        raise typer.Exit(failures.ExitCode.NOT_ALL_WELL)


def _targets(client: Client, given: list[str], *, every: bool) -> dict[str, str]:
    """Return the uuids to run on, each with a name for people."""
    if every == bool(given):
        raise typer.BadParameter("name targets with --target, or all of them with --all")
    if not every:
        return naming.uuids(client, given)
    names = {target.uuid: target.cluster_name for target in naming.all_targets(client)}
    if not names:
        raise typer.BadParameter("there are no targets: register one with `krkn-grpc targets add`")
    return names


def _submitted(client: Client, request: RunScenarioRequest) -> RunScenarioResponse:
    """Send the run, again where nobody said what became of it: the requestId makes that safe."""

    def once() -> RunScenarioResponse:
        reply = client.call(client.runs.RunScenario, request)
        if any(each.status == "Unknown" for each in reply.jobs):
            raise _Unsettled(reply)
        return reply

    try:
        return client.repeated(lambda error: isinstance(error, _Unsettled), once, _SETTLING_RETRIES)
    except _Unsettled as unsettled:
        _say_how_to_repeat(request)
        return unsettled.reply
    except (grpc.RpcError, KeyboardInterrupt) as error:
        if isinstance(error, KeyboardInterrupt) or failures.left_unanswered(error):
            _say_how_to_repeat(request)
        raise


def _say_how_to_repeat(request: RunScenarioRequest) -> None:
    typer.echo(
        "Jobs may have been started. The same command with "
        f"--request-id {request.request_id} says so and starts nothing twice.",
        err=True,
    )


def _waited_for(
    client: Client,
    request: RunScenarioRequest,
    reply: RunScenarioResponse,
    names: dict[str, str],
    output: Format,
) -> list[Job]:
    """Print what became of each target, and return the jobs that were started, as they ended."""
    told = [
        Job(
            job_id=each.job_id,
            target_uuid=each.target_uuid,
            scenario_name=request.scenario_name,
            status=each.status,
            message=each.error,
        )
        for each in reply.jobs
    ]
    for job, each in zip(told, reply.jobs, strict=True):
        if not each.success:
            typer.echo(f"{names[job.target_uuid]}: {job.status}: {job.message}", err=True)
    jobs = {each.job_id: job for job, each in zip(told, reply.jobs, strict=True) if each.success}
    # As narrow a filter as they all pass.
    wanted = WatchScenarioRunsRequest(
        scenario_name=request.scenario_name,
        label_selector=",".join(f"{key}={value}" for key, value in sorted(request.labels.items())),
    )
    try:
        follow(client, wanted, jobs, names)
    except (KeyboardInterrupt, grpc.RpcError, failures.WatchEnded):
        ids = " ".join(job_id for job_id, job in jobs.items() if not has_ended(job))
        typer.echo(f"The jobs go on. To stop them: krkn-grpc stop {ids}", err=True)
        raise
    if output is Format.JSON:
        ended = [display.as_json(job) for job in jobs.values()]
        display.print_json({"run": display.as_json(reply), "jobs": ended})
    else:
        display.print_jobs([jobs.get(job.job_id, job) for job in told], names)
    return list(jobs.values())
