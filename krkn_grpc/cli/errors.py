"""How a failure is told: a line for people, or with -o json or jsonl an object for programs."""

import json
from collections.abc import Iterable, Sequence
from contextvars import ContextVar

import typer
from grpc import StatusCode

from krkn_grpc.cli import display, failures
from krkn_grpc.cli.display import Format, JsonObject
from krkn_grpc.client.errors import FieldError, KrknError
from krkn_grpc.client.tokens import BadToken

_JSON = (Format.JSON.value, Format.JSONL.value)
_OPTIONS = ("--output", "-o")

_is_json: ContextVar[bool] = ContextVar("is_json", default=False)


def told_as_asked_for(arguments: Sequence[str]) -> None:
    """Tell the failures of this command line in the format that its --output asks for."""
    _is_json.set(_output_of(arguments) in _JSON)


def are_objects() -> bool:
    """Whether failures are told as JSON objects."""
    return _is_json.get()


def tell(
    message: str,
    *,
    code: StatusCode,
    reason: str = "",
    fields: Iterable[FieldError] = (),
    details: Sequence[JsonObject] = (),
) -> None:
    """Print a failure to standard error; `code`, `reason` and the lists are for programs."""
    if not are_objects():
        typer.echo(display.printable(f"Error: {message}"), err=True)
        return
    told: JsonObject = {
        "code": code.value[0],
        "reason": reason,
        "message": message,
        "fields": [{"field": each.field, "description": each.description} for each in fields],
    }
    if details:
        told["details"] = list(details)
    typer.echo(json.dumps(told), err=True)


def tell_failure(error: Exception, server: str, *, about: str = "", more: str = "") -> None:
    """Print the failure of a call, or of what was done before it; `about` is before the text."""
    message = f"{about}: " if about else ""
    message += failures.explanation(error, server) + more
    if isinstance(error, KrknError):
        tell(message, code=error.code, reason=error.reason, fields=error.fields)
    elif isinstance(error, failures.NotFound):
        tell(message, code=StatusCode.NOT_FOUND, reason="NOT_FOUND")
    elif isinstance(error, BadToken):
        tell(message, code=StatusCode.UNAUTHENTICATED, reason="BAD_TOKEN")
    else:
        tell(message, code=StatusCode.INVALID_ARGUMENT, reason="USAGE")


def _output_of(arguments: Sequence[str]) -> str:
    """Return the last value of --output, "" without one."""
    found = ""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for at, argument in enumerate(options):
        name, equals, value = argument.partition("=")
        if argument in _OPTIONS:
            found = "".join(options[at + 1 : at + 2])
        elif equals and name == "--output":
            found = value
        elif argument.startswith("-o") and not argument.startswith("--"):
            found = argument.removeprefix("-o").removeprefix("=")
    return found
