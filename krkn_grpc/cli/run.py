"""krkn-grpc run: runs a scenario on many targets and shows the result on each."""

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import grpc
import typer

from krkn_grpc.cli import completion, display, failures, parameters, sources, target_names
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.cli.outcome import SUCCEEDED, follow, has_ended
from krkn_grpc.v1.scenario_runs_pb2 import (
    Job,
    RunScenarioRequest,
    RunScenarioResponse,
    WatchScenarioRunsRequest,
)

# The service itself tries for 25 s to find out the result of a write.
_SETTLING_RETRIES = 2


class _Unsettled(Exception):
    """For some targets it is not known whether a job exists."""

    def __init__(self, reply: RunScenarioResponse) -> None:
        super().__init__("for some targets it is not known yet whether there is a job")
        self.reply = reply


def run(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="The scenario's name: see `krkn-grpc scenarios list`.",
            show_default=False,
            autocompletion=completion.scenario_names,
        ),
    ] = "",
    scenario: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The same as the argument.",
            autocompletion=completion.scenario_names,
        ),
    ] = "",
    image: Annotated[
        str,
        typer.Option(
            metavar="IMAGE", help="The scenario's container image. Default: the catalogue's."
        ),
    ] = "",
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target", "-t", metavar="TARGET", help="A target (UUID or name); repeatable."
        ),
    ] = None,
    all_targets: Annotated[bool, typer.Option("--all", help="Run on every target.")] = False,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="NAME[=VALUE]",
            help="Parameter of the scenario, by its name or variable; for a file: its local path.",
            autocompletion=completion.parameter_names,
        ),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env",
            "-e",
            metavar="NAME[=VALUE]",
            help="Environment variable; NAME alone copies it from this shell.",
            autocompletion=completion.variable_names,
        ),
    ] = None,
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
    kubeconfig_path: Annotated[
        str, typer.Option(metavar="PATH", help="Path of the kubeconfig in the container.")
    ] = "",
    registry_url: Annotated[str, typer.Option(metavar="URL", help="Registry to log in to.")] = "",
    registry_username: Annotated[
        str, typer.Option(metavar="NAME", help="User name at the registry.")
    ] = "",
    registry_password_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Password file. Or set KRKN_REGISTRY_PASSWORD."),
    ] = None,
    registry_token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Token file instead. Or set KRKN_REGISTRY_TOKEN."),
    ] = None,
    timeout: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Time limit of each scenario.")
    ] = None,
    ttl: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Time to keep finished jobs.")
    ] = None,
    queue_seconds: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", help="Time limit of the wait for a busy target."),
    ] = None,
    refuse_busy: Annotated[
        bool, typer.Option("--refuse-busy", help="Fail at once on a busy target, do not wait.")
    ] = False,
    label: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Label for the jobs; repeatable.")
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
            metavar="UUID", help="Id of an interrupted run, to retry it; nothing starts twice."
        ),
    ] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every job has ended.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Run a scenario on each target, one job per target.

    Exits with 1 when a target was refused or, with --wait, a scenario did not succeed.
    """
    client: Client = context.obj
    if bool(name) == bool(scenario):
        raise typer.BadParameter("give the name of one scenario: krkn-grpc run NAME")
    scenario = name or scenario
    given = parameters.inputs(client, scenario, param or [])
    names = _targets(client, target or [], every=all_targets)
    # Without a URL or a credential file there is no login: credentials that happen to be in the
    # environment are not sent.
    has_login = bool(registry_url or registry_password_file or registry_token_file)
    request = RunScenarioRequest(
        target_uuids=names,
        scenario_name=scenario,
        scenario_image=image,
        environment=sources.merged(sources.pairs(env or []), given.environment),
        secret_environment=sources.merged(
            sources.own_variables(secret_env or []),
            sources.lines_of_pairs(secret_env_file),
            given.secret_environment,
        ),
        files=[*sources.scenario_files(file or []), *given.files],
        kubeconfig_path=kubeconfig_path,
        registry_url=registry_url,
        username=registry_username,
        password=(
            sources.secret(registry_password_file, "KRKN_REGISTRY_PASSWORD") if has_login else ""
        ),
        token=sources.secret(registry_token_file, "KRKN_REGISTRY_TOKEN") if has_login else "",
        timeout_seconds=timeout,
        ttl_seconds_after_finished=ttl,
        queue_seconds=queue_seconds,
        on_busy="Refuse" if refuse_busy else "",
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


def _targets(client: Client, given: list[str], *, every: bool) -> dict[str, str]:
    """Return the uuids of the targets to run on, each with its display name."""
    if every == bool(given):
        raise typer.BadParameter("name targets with --target, or all of them with --all")
    if not every:
        return target_names.uuids(client, given)
    names = {target.uuid: target.cluster_name for target in target_names.all_targets(client)}
    if not names:
        raise typer.BadParameter("there are no targets: register one with `krkn-grpc targets add`")
    return names


def _submitted(client: Client, request: RunScenarioRequest) -> RunScenarioResponse:
    """Send the run, with retries while its result is unknown: the requestId makes that safe."""

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
    """Wait for the started jobs, print the result per target, and return the ended jobs."""
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
    # The jobs are selected by id; this filter only leaves out most of the others.
    wanted = WatchScenarioRunsRequest(
        scenario_name=request.scenario_name,
        target_uuid=request.target_uuids[0] if len(request.target_uuids) == 1 else "",
    )
    try:
        follow(client, wanted, jobs, names)
    except BaseException:
        ids = " ".join(job_id for job_id, job in jobs.items() if not has_ended(job))
        typer.echo(f"The jobs go on. To stop them: krkn-grpc stop {ids}", err=True)
        raise
    with _said_on_failure(reply):
        if output is Format.JSON:
            ended = [display.as_json(job) for job in jobs.values()]
            display.print_json({"run": display.as_json(reply), "jobs": ended})
        else:
            display.print_jobs([jobs.get(job.job_id, job) for job in told], names)
    return list(jobs.values())
