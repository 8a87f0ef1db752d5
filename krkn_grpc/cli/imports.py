"""krkn-grpc targets import and apply: many clusters at once, and again without harm."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from krkn_grpc.cli import (
    accounts,
    display,
    errors,
    failures,
    kubeconfigs,
    questions,
    registration,
    sources,
    target_wait,
)
from krkn_grpc.cli.client import Client
from krkn_grpc.client.errors import AlreadyExists, KrknError
from krkn_grpc.client.kubeconfigs import BadKubeconfig
from krkn_grpc.client.targets import is_same_address
from krkn_grpc.v1.targets_pb2 import CreateTargetRequest, Target

_FAILURES = (KrknError, BadKubeconfig, accounts.AccountError)
_KEYS = (
    *("name", "kubeconfig", "context", "apiUrl", "caFile", "tokenFile", "username"),
    *("passwordFile", "labels", "maxConcurrentJobs"),
)
_SERVICE_ACCOUNT_ROLE = "cluster-admin"


def import_targets(
    context: typer.Context,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Default: $KUBECONFIG, else ~/.kube/config."),
    ] = None,
    contexts: Annotated[
        list[str] | None,
        typer.Option(
            "--context", metavar="NAME", help="A context of the file; repeatable. Default: current."
        ),
    ] = None,
    all_contexts: Annotated[
        bool, typer.Option("--all-contexts", help="Every context of the file.")
    ] = False,
    name_prefix: Annotated[
        str, typer.Option(metavar="TEXT", help="Before the context's name, for the target's.")
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Label for the targets; repeatable."),
    ] = None,
    create_service_account: Annotated[
        bool,
        typer.Option(
            "--create-service-account",
            help="Make an account in each cluster, with kubectl, and register its token.",
        ),
    ] = False,
    role: Annotated[
        str, typer.Option(metavar="NAME", help="ClusterRole of that account.")
    ] = _SERVICE_ACCOUNT_ROLE,
    yes: questions.Yes = False,
    wait: target_wait.Wait = False,
) -> None:
    """Register or update the clusters of a kubeconfig, by context.

    Each is named as its context. Certificates and tokens in files are read in. A credential that a
    command gets cannot be taken along: use --create-service-account.
    """
    client: Client = context.obj
    try:
        found = kubeconfigs.read(kubeconfig)
        named = contexts or (list(found.contexts) if all_contexts else [found.current])
        if contexts and all_contexts:
            raise typer.BadParameter("give --context or --all-contexts, not both")
        urls = [found.url(each) for each in named]
    except BadKubeconfig as error:
        raise typer.BadParameter(str(error)) from None
    if create_service_account:
        some = questions.some_of(named)
        questions.confirm(
            f"Make an account with the role {role} in {len(named)} clusters ({some})?", yes=yes
        )
    labels = sources.labels(label or [])

    def request(name: str) -> CreateTargetRequest:
        text = (
            kubeconfigs.with_token(found, name, accounts.token(kubeconfig, name, role))
            if create_service_account
            else kubeconfigs.alone(found, name)
        )
        return CreateTargetRequest(
            cluster_name=f"{name_prefix}{name}",
            secret_type="kubeconfig",  # noqa: S106  # a kind, no secret
            kubeconfig=text,
            labels=labels,
        )

    wanted = {
        f"{name_prefix}{name}": (f"{url} (context {name})", lambda name=name: request(name))
        for name, url in zip(named, urls, strict=True)
    }
    addresses = {f"{name_prefix}{name}": url for name, url in zip(named, urls, strict=True)}
    _apply_all(client, wanted, wait=wait, addresses=addresses)


def apply_targets(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Option("--filename", "-f", metavar="FILE", help="YAML with the targets; - is stdin."),
    ],
    wait: target_wait.Wait = False,
) -> None:
    """Create or update the targets that a file lists; others stay.

    Each has a name, and kubeconfig (a path, with context) or apiUrl with caFile and tokenFile, or
    username and passwordFile; labels and maxConcurrentJobs stay as they are where left out.
    """
    client: Client = context.obj
    folder = Path() if file == sources.STANDARD_INPUT else file.parent
    try:
        entries = _entries(str(file), sources.text_of(file))
        wanted = {
            name: (
                str(entry.get("apiUrl") or entry.get("kubeconfig") or ""),
                lambda name=name, entry=entry: _request(name, entry, folder),
            )
            for name, entry in entries.items()
        }
    except BadKubeconfig as error:
        raise typer.BadParameter(str(error)) from None
    _apply_all(client, wanted, wait=wait)


def _apply_all(
    client: Client,
    wanted: Mapping[str, tuple[str, Callable[[], CreateTargetRequest]]],
    *,
    wait: bool,
    addresses: Mapping[str, str] | None = None,
) -> None:
    """Apply each, print a line for it, and raise Exit if one failed; the others are applied.

    One of the `addresses` (URLs by name) is not applied to a target that has another URL.
    """
    known = registration.known_targets(client)
    failure: Exception | None = None
    done: list[str] = []
    for name, (what, request) in wanted.items():
        try:
            _must_be_the_same(name, (addresses or {}).get(name), known)
            verb = registration.apply(client, request(), known)
        except _FAILURES as error:
            failure = failure or error
            more = _owner(error, known)
            errors.tell_failure(error, client.server, about=name, more=more)
        else:
            done.append(name)
            display.print_line(f"{name} {verb}: {what}")
    if wait and done:
        target_wait.until(client, done, target_wait.READY)
    if failure is not None:
        raise typer.Exit(failures.exit_code(failure))


def _must_be_the_same(name: str, url: str | None, known: Mapping[str, Target]) -> None:
    """Raise BadKubeconfig if a known target of this name has another URL.

    Contexts of different clusters may have the same name (default, kind-kind), and a run on the
    target means the cluster that it was.
    """
    found = known.get(name)
    if found is not None and url is not None and not is_same_address(found.cluster_api_url, url):
        raise BadKubeconfig(
            f"this target is another cluster, {found.cluster_api_url}: give a --name-prefix, or "
            f"let it be this one with krkn-grpc targets update {name}"
        )


def _owner(error: Exception, known: Mapping[str, Target]) -> str:
    """Return which target has the URL that a refusal names as taken."""
    if not isinstance(error, AlreadyExists):
        return ""
    said = failures.explanation(error, "")
    owners = [name for name, each in known.items() if f"'{each.cluster_api_url}'" in said]
    return f": it is {owners[0]}" if owners else ""


def _entries(name: str, text: str) -> dict[str, dict[str, Any]]:
    """Return the targets of a file by name; raises BadKubeconfig."""
    try:
        read = [each for each in yaml.safe_load_all(text) if each is not None]
    except yaml.YAMLError:
        raise BadKubeconfig(f"{name}: is not YAML") from None
    listed = [entry for each in read for entry in _listed(each)]
    entries: dict[str, dict[str, Any]] = {}
    for entry in listed:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            raise BadKubeconfig(f"{name}: each target needs a name")
        if unknown := [str(key) for key in entry if key not in _KEYS]:
            known = ", ".join(_KEYS)
            raise BadKubeconfig(f"{name}: {entry['name']}: {', '.join(unknown)}: known are {known}")
        if entry["name"] in entries:
            raise BadKubeconfig(f"{name}: {entry['name']} is there twice")
        entries[entry["name"]] = entry
    if not entries:
        raise BadKubeconfig(f"{name}: has no targets")
    return entries


def _listed(document: Any) -> Iterable[Any]:
    """Return the targets of a document: a list of them, `targets:` with one, or one target."""
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and isinstance(document.get("targets"), list):
        targets: list[Any] = document["targets"]
        return targets
    return [document]


def _request(name: str, entry: Mapping[str, Any], folder: Path) -> CreateTargetRequest:
    """Return the registration of an entry; raises BadKubeconfig, also for a file it cannot read."""
    try:
        return _registration(name, entry, folder)
    except typer.BadParameter as error:
        raise BadKubeconfig(error.message) from None


def _registration(name: str, entry: Mapping[str, Any], folder: Path) -> CreateTargetRequest:
    given = entry.get("labels") or {}
    if not isinstance(given, dict):
        raise BadKubeconfig("labels: must be keys with values")
    labels = {str(key): str(value) for key, value in given.items()}
    request = CreateTargetRequest(cluster_name=name, labels=labels)
    if (limit := entry.get("maxConcurrentJobs")) is not None:
        if type(limit) is not int or not 0 <= limit <= sources.LARGEST:
            raise BadKubeconfig("maxConcurrentJobs: must be a whole number, at least 0")
        request.max_concurrent_jobs = limit

    def text(key: str) -> str:
        file = entry.get(key)
        return sources.text_of(folder / str(file)).strip() if file else ""

    if file := entry.get("kubeconfig"):
        found = kubeconfigs.read(folder / str(file))
        request.secret_type = "kubeconfig"  # a kind, no secret
        request.kubeconfig = kubeconfigs.alone(found, str(entry.get("context") or ""))
        return request
    authorities = entry.get("caFile")
    request.ca_bundle = sources.certificates(folder / str(authorities) if authorities else None)
    request.cluster_api_url = str(entry.get("apiUrl", ""))
    if username := entry.get("username"):
        request.secret_type, request.username = "credentials", str(username)
        request.password = text("passwordFile")
    else:
        request.secret_type, request.token = "token", text("tokenFile")
    return request
