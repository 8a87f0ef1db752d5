"""krkn-grpc targets: the clusters to run scenarios on."""

from pathlib import Path
from typing import Annotated

import typer

from krkn_grpc.cli import (
    columns,
    completion,
    discover,
    display,
    imports,
    kubeconfigs,
    registration,
    sources,
    target_names,
    target_wait,
)
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.display import Format, Output
from krkn_grpc.client.kubeconfigs import BadKubeconfig
from krkn_grpc.v1.targets_pb2 import (
    CheckTargetRequest,
    CreateTargetRequest,
    CreateTargetResponse,
    DeleteTargetRequest,
    DeleteTargetResponse,
    GetTargetRequest,
    ListTargetsResponse,
    PatchTargetRequest,
    UpdateTargetResponse,
)

app = typer.Typer(help="Register clusters and check whether they can be reached.")
app.command("discover")(discover.discover_targets)
app.command("import")(imports.import_targets)
app.command("apply")(imports.apply_targets)
app.command("wait")(target_wait.wait_for_targets)

Which = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="The target's UUID or cluster name.",
        autocompletion=completion.target_names,
    ),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Unique name for the cluster.")]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Kubeconfig; its current context is taken. - is stdin."),
]
ApiUrl = Annotated[
    str, typer.Option("--api-url", metavar="URL", help="URL of its API; not with --kubeconfig.")
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Bearer token file for the cluster; - is standard input. Or set KRKN_TARGET_TOKEN.",
    ),
]
Username = Annotated[
    str, typer.Option(metavar="NAME", help="User name at the cluster; needs a password.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Password file of the user; - is standard input. Or set KRKN_TARGET_PASSWORD.",
    ),
]
CaBundle = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="CA bundle (PEM) of the cluster; without it, its certificate is not verified.",
    ),
]


Selector = Annotated[
    str,
    typer.Option(
        "--selector",
        "-l",
        metavar="LABELS",
        help="Only targets with these labels: a=b,c!=d,e in (f,g).",
    ),
]


@app.command("list")
def list_targets(
    context: typer.Context,
    selector: Selector = "",
    ready: Annotated[
        bool | None,
        typer.Option("--ready/--not-ready", help="Only targets that are ready, or that are not."),
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """List the targets, newest first."""
    targets = target_names.all_targets(context.obj, selector, ready=ready)
    display.show_list(columns.TARGETS, ListTargetsResponse(targets=targets), output)


@app.command("get")
def get_target(context: typer.Context, target: Which, output: Output = Format.TABLE) -> None:
    """Show one target."""
    client: Client = context.obj
    request = GetTargetRequest(uuid=target_names.one_uuid(client, target))
    display.show_one(columns.TARGETS, client.call(client.targets.GetTarget, request), output)


@app.command("add")
def add_target(
    context: typer.Context,
    name: Name,
    kubeconfig: Kubeconfig = None,
    api_url: ApiUrl = "",
    token_file: TokenFile = None,
    username: Username = "",
    password_file: PasswordFile = None,
    ca_bundle: CaBundle = None,
    wait: target_wait.Wait = False,
    output: Output = Format.TABLE,
) -> None:
    """Register a cluster by --kubeconfig, or by --api-url.

    With --api-url give a token, or a user name and a password.
    """
    client: Client = context.obj
    request = _registration(
        name, kubeconfig, api_url, token_file, username, password_file, ca_bundle
    )
    # A retry would be refused as a duplicate of the first call.
    reply = client.call(client.targets.CreateTarget, request, is_repeatable=False)
    _print_done(reply, output)
    if wait:
        target_wait.until(client, [reply.uuid], target_wait.READY)


@app.command("update")
def update_target(
    context: typer.Context,
    target: Which,
    name: Name,
    kubeconfig: Kubeconfig = None,
    api_url: ApiUrl = "",
    token_file: TokenFile = None,
    username: Username = "",
    password_file: PasswordFile = None,
    ca_bundle: CaBundle = None,
    output: Output = Format.TABLE,
) -> None:
    """Replace a target as a whole: give its name and credential again."""
    client: Client = context.obj
    new = _registration(name, kubeconfig, api_url, token_file, username, password_file, ca_bundle)
    request = registration.update_of(target_names.one_uuid(client, target), new)
    _print_done(client.call(client.targets.UpdateTarget, request), output)


@app.command("label")
def label_target(
    context: typer.Context,
    target: Which,
    changes: Annotated[
        list[str],
        typer.Argument(metavar="KEY=VALUE|KEY-...", help="Labels to set; KEY- removes one."),
    ],
    output: Output = Format.TABLE,
) -> None:
    """Set and remove labels of a target; its other labels stay."""
    client: Client = context.obj
    request = PatchTargetRequest()
    for change in changes:
        key, is_set, value = change.partition("=")
        if is_set:
            request.labels[key] = value
        elif key.endswith("-"):
            request.remove_labels.append(key[:-1])
        else:
            raise typer.BadParameter(f"{change!r} is neither KEY=VALUE nor KEY-")
    request.uuid = target_names.one_uuid(client, target)
    display.show_one(columns.TARGETS, client.call(client.targets.PatchTarget, request), output)


@app.command("limit")
def limit_target(
    context: typer.Context,
    target: Which,
    jobs: Annotated[
        int,
        typer.Argument(
            metavar="N", min=0, max=sources.LARGEST, help="Jobs at once; 0: any number."
        ),
    ],
    output: Output = Format.TABLE,
) -> None:
    """Set how many jobs may run on a target at once; others wait."""
    client: Client = context.obj
    uuid = target_names.one_uuid(client, target)
    request = PatchTargetRequest(uuid=uuid, max_concurrent_jobs=jobs)
    display.show_one(columns.TARGETS, client.call(client.targets.PatchTarget, request), output)


@app.command("check")
def check_target(context: typer.Context, target: Which, output: Output = Format.TABLE) -> None:
    """Check a target's cluster now, without waiting for the result.

    Shows the target as it was before.
    """
    client: Client = context.obj
    request = CheckTargetRequest(uuid=target_names.one_uuid(client, target))
    display.show_one(columns.TARGETS, client.call(client.targets.CheckTarget, request), output)


@app.command("delete")
def delete_target(context: typer.Context, target: Which, output: Output = Format.TABLE) -> None:
    """Delete a target and its credential.

    Running jobs keep their own copy of the credential.
    """
    client: Client = context.obj
    request = DeleteTargetRequest(uuid=target_names.one_uuid(client, target))
    # A retry would not find the target.
    reply = client.call(client.targets.DeleteTarget, request, is_repeatable=False)
    _print_done(reply, output)


def _registration(
    name: str,
    kubeconfig: Path | None,
    api_url: str,
    token_file: Path | None,
    username: str,
    password_file: Path | None,
    ca_bundle: Path | None,
) -> CreateTargetRequest:
    """Return a request with the one given credential, read from its source."""
    others = (api_url, token_file, username, password_file, ca_bundle)
    if kubeconfig is not None:
        if any(others):
            raise typer.BadParameter("--kubeconfig has all that is needed: give nothing besides")
        return CreateTargetRequest(
            cluster_name=name,
            secret_type="kubeconfig",  # noqa: S106  # a kind, no secret
            kubeconfig=_embedded(name, kubeconfig),
        )
    request = CreateTargetRequest(
        cluster_name=name,
        cluster_api_url=api_url,
        ca_bundle=sources.certificates(ca_bundle),
    )
    if username:
        if token_file is not None:
            raise typer.BadParameter("give --token-file or --username, not both")
        request.secret_type, request.username = "credentials", username
        request.password = sources.secret(password_file, "KRKN_TARGET_PASSWORD")
    else:
        if password_file is not None:
            raise typer.BadParameter("--password-file needs --username")
        request.secret_type = "token"
        request.token = sources.secret(token_file, "KRKN_TARGET_TOKEN")
    if not (request.token or request.password):
        raise typer.BadParameter(
            "a credential is missing: --kubeconfig, --token-file, or --username and --password-file"
        )
    return request


def _embedded(name: str, file: Path) -> str:
    """Return the current context of a kubeconfig with all that it needs, and say which it is."""
    try:
        found = kubeconfigs.read(file)
        alone = kubeconfigs.alone(found)
        said = kubeconfigs.summary(found, found.current)
    except BadKubeconfig as error:
        raise typer.BadParameter(str(error), param_hint="--kubeconfig") from None
    typer.echo(display.printable(f"{name} = {said}"), err=True)
    return alone


def _print_done(
    reply: CreateTargetResponse | UpdateTargetResponse | DeleteTargetResponse, output: Format
) -> None:
    """Print the uuid to standard output, for scripts, and the message to standard error."""
    if output.is_for_people:
        typer.echo(display.printable(reply.message), err=True)
        display.print_line(reply.uuid)
    else:
        shown = display.as_json(reply)
        display.print_for_programs(shown, [shown], [reply.uuid], output)
