"""krkn-grpc run: runs a scenario on many targets and shows the result on each."""

import uuid
from pathlib import Path
from typing import Annotated

import typer

from krkn_grpc.cli import (
    completion,
    interrupts,
    parameters,
    questions,
    sources,
    submission,
    target_names,
    times,
)
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.cli.runs import Verbose
from krkn_grpc.cli.submission import Following
from krkn_grpc.v1.scenario_runs_pb2 import RunScenarioRequest


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
            "--target",
            "-t",
            metavar="TARGET",
            help="A target: its name, UUID, or names by pattern ('eu-*'); repeatable.",
            autocompletion=completion.target_names,
        ),
    ] = None,
    targets_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with a target in each line; - is stdin."),
    ] = None,
    selector: Annotated[
        str,
        typer.Option(
            "--selector", "-l", metavar="LABELS", help="Every target with these labels: a=b,c!=d."
        ),
    ] = "",
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
        int | None,
        typer.Option(
            metavar="TIME", parser=times.option, help="Time limit of each scenario: 600, 10m, 1h."
        ),
    ] = None,
    ttl: Annotated[
        int | None,
        typer.Option(
            metavar="TIME", parser=times.option, help="Time to keep finished jobs: 600, 10m, 7d."
        ),
    ] = None,
    queue_seconds: Annotated[
        int | None,
        typer.Option(
            metavar="TIME",
            parser=times.option,
            help="Time limit of the wait for a busy target: 600, 10m, 1h.",
        ),
    ] = None,
    refuse_busy: Annotated[
        bool, typer.Option("--refuse-busy", help="Fail at once on a busy target, do not wait.")
    ] = False,
    max_parallel: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, max=sources.LARGEST, help="At most N jobs at once; 0: all."
        ),
    ] = 0,
    max_failures: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=sources.LARGEST,
            help="Start no more jobs after more than N failures.",
        ),
    ] = None,
    abort_running: Annotated[
        bool, typer.Option("--abort-running", help="Then stop the running jobs too.")
    ] = False,
    abort_on: Annotated[
        list[str] | None,
        typer.Option(metavar="MATCHERS", help="Alert that stops the run; repeatable."),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Label for the jobs; repeatable.")
    ] = None,
    require_ready: Annotated[
        bool, typer.Option("--require-ready", help="Refuse targets that are not ready.")
    ] = False,
    validate_only: Annotated[
        bool,
        typer.Option("--validate-only", "--dry-run", help="Check everything and start nothing."),
    ] = False,
    request_id: Annotated[
        str,
        typer.Option(
            metavar="UUID", help="Id of an interrupted run, to retry it; nothing starts twice."
        ),
    ] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every job has ended.")] = False,
    verbose: Verbose = False,
    on_interrupt: interrupts.Option = None,
    yes: questions.Yes = False,
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
    names = target_names.chosen(client, target or [], targets_file, selector, every=all_targets)
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
        max_parallel=max_parallel,
        max_failures=max_failures,
        abort_running=abort_running,
        abort_on=abort_on,
        labels=sources.labels(label or []),
        require_ready=require_ready,
        validate_only=validate_only,
        request_id=request_id or str(uuid.uuid4()),
    )
    if len(names) > 1 and not validate_only:
        questions.confirm(_question(request, selector, list(names.values())), yes=yes)
    following = Following(
        output,
        wait and not validate_only,
        verbose,
        is_check=validate_only,
        on_interrupt=interrupts.chosen(on_interrupt),
    )
    reply = submission.send(
        client,
        lambda: client.call(client.runs.RunScenario, request),
        request.request_id,
        following.on_interrupt,
    )
    submission.show(client, reply, names, following, scenario)


def _question(request: RunScenarioRequest, selector: str, names: list[str]) -> str:
    which = selector or questions.some_of(names)
    image = f", image {request.scenario_image}" if request.scenario_image else ""
    limit = f", up to {request.max_parallel} at once" if request.max_parallel else ""
    return f"{request.scenario_name} on {len(names)} targets ({which}){image}{limit}. Continue?"
