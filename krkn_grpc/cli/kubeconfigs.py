"""Kubeconfigs as options name them: a file, standard input, or kubectl's own."""

from pathlib import Path

import typer

from krkn_grpc.cli import sources
from krkn_grpc.client.kubeconfigs import (
    BadKubeconfig,
    CredentialByCommand,
    KubeconfigFiles,
    load,
    parsed,
)


def read(file: Path | None) -> KubeconfigFiles:
    """Return a kubeconfig; None: kubectl's own. Raises BadKubeconfig and BadParameter."""
    if file is not None:
        folder = Path() if file == sources.STANDARD_INPUT else file.parent
        return parsed(sources.text_of(file), file.name, folder)
    try:
        return load()
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}") from None


def alone(found: KubeconfigFiles, context: str = "") -> str:
    """Return a kubeconfig with this context alone; raises BadKubeconfig, with the way out."""
    try:
        return found.embedded(context)
    except CredentialByCommand as error:
        raise BadKubeconfig(
            f"{error.fault}: krkn-grpc targets import --context "
            f"{error.context} --create-service-account makes an account in the cluster"
        ) from None
    except OSError as error:
        raise BadKubeconfig(f"{error.filename}: {error.strerror}") from None


def with_token(found: KubeconfigFiles, context: str, token: str) -> str:
    """Return a kubeconfig of this context's cluster with a token; raises BadKubeconfig."""
    try:
        return found.with_token(context, token)
    except OSError as error:
        raise BadKubeconfig(f"{error.filename}: {error.strerror}") from None


def summary(found: KubeconfigFiles, context: str) -> str:
    """Return which cluster it is, and what else is in the file, for the user to see."""
    others = [each for each in found.contexts if each != context]
    more = f"; {len(others)} more: {', '.join(others[:3])}" if others else ""
    return f"{found.url(context)} (context {context}{more})"
