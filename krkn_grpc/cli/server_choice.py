"""Decides which server is called, and with what: options and variables, else a context."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from krkn_grpc.cli import config
from krkn_grpc.cli.client import Client
from krkn_grpc.cli.config import Context
from krkn_grpc.client import tokens
from krkn_grpc.client.address import Certificates, default_server


@dataclass(frozen=True)
class Given:
    """What options and variables say; "" and None stand for nothing."""

    server: str = ""
    context: str = ""
    tls: bool | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None


def client(given: Given, *, retries: int | None, seconds: float | None = None) -> Client:
    """Return a client of the chosen server.

    Where a server is given, nothing of a context is used: no other server than its own may see its
    token. Raises BadAddress, BadToken, BadConfig, and OSError for files that cannot be read.
    """
    if given.server and given.context:
        raise config.BadConfig("give a server or a context, not both")
    context = Context()
    if not given.server:
        context = config.load(config.path()).chosen(given.context)
    options = {} if seconds is None else {"seconds": seconds}
    return Client.connected(
        server=given.server or context.server or default_server(),
        tls=given.tls,
        certificates=Certificates(
            given.ca or _file(context.ca),
            given.cert or _file(context.cert),
            given.key or _file(context.key),
        ),
        token=_token(context),
        retries=retries,
        **options,
    )


def _token(context: Context) -> tokens.TokenSource:
    """Return the source of the token: the environment's, else the context's."""
    has_own = os.environ.get("KRKN_TOKEN_FILE") or os.environ.get("KRKN_TOKEN")
    if not has_own and context.token_command:
        return _command(context.token_command)
    if not has_own and context.token_file:
        file = str(Path(context.token_file).expanduser())
        return tokens.from_environment({"KRKN_TOKEN_FILE": file})
    return tokens.from_environment(os.environ)


def _command(text: str) -> tokens.TokenSource:
    try:
        return tokens.Command(shlex.split(text))
    except ValueError as error:
        raise tokens.BadToken(f"the token command cannot be read: {error}") from None


def _file(text: str) -> Path | None:
    return Path(text).expanduser() if text else None
