"""Checks the inputs of a run against its scenario's parameters. Pure."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from krkn_grpc.catalogue.model import Catalogue, Known, Parameter, Scenario
from krkn_grpc.catalogue.spelling import Spelling
from krkn_grpc.resources.violation import Violation

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_TRUTHS = frozenset({"true", "false"})


@dataclass(frozen=True)
class Inputs:
    """The variables of a run by the request's field that has them, and the paths of its files."""

    environment: Mapping[str, str]
    secret_environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    mount_paths: frozenset[str] = frozenset()

    def value(self, variable: str) -> str:
        """Return a variable's value; an empty one is as good as none, also to krkn's scripts."""
        return self.environment.get(variable) or self.secret_environment.get(variable) or ""


def violations(catalogue: Catalogue, scenario: Scenario, inputs: Inputs) -> Iterator[Violation]:
    """Yield what is wrong with a run's inputs; no text repeats a value."""
    known = catalogue.known(scenario)
    yield from _of_variables("environment", inputs.environment, known)
    yield from _of_variables("secretEnvironment", inputs.secret_environment, known)
    for parameter in known.demanding:
        yield from _of_parameter(parameter, known, inputs)


def _of_variables(where: str, given: Mapping[str, str], known: Known) -> Iterator[Violation]:
    spelling: Spelling | None = None
    for name, value in sorted(given.items()):
        parameter = known.by_variable.get(name)
        if parameter is not None:
            if wrong := wrong_value(parameter, value):
                yield Violation(f"{where}[{name}]", wrong)
            continue
        spelling = spelling or Spelling(known.by_variable)
        # krkn takes more variables than a scenario lists, so an unknown one may be right.
        if meant := spelling.meant(name):
            yield Violation(
                f"{where}[{name}]", f"is not a parameter of this scenario; did you mean {meant}?"
            )


def _of_parameter(parameter: Parameter, known: Known, inputs: Inputs) -> Iterator[Violation]:
    where = f"environment[{parameter.variable}]"
    is_given = _is_given(parameter, inputs)
    if parameter.is_required and not parameter.default and not is_given:
        file = f", as a file at {parameter.mount_path}" if parameter.mount_path else ""
        yield Violation(where, f"is required by this scenario{file}")
    # A value that says no more than the default is as good as none: consoles send them all.
    if not is_given or inputs.value(parameter.variable) == parameter.default:
        return
    for name in parameter.requires:
        other = _named(name, known)
        if other is not None and not other.default and not _is_given(other, inputs):
            yield Violation(where, f"requires {other.variable}")
    for name in parameter.excludes:
        other = _named(name, known)
        if other is None or not _is_given(other, inputs):
            continue
        if inputs.value(other.variable) != other.default:
            yield Violation(where, f"cannot be given together with {other.variable}")


def _is_given(parameter: Parameter, inputs: Inputs) -> bool:
    is_mounted = bool(parameter.mount_path) and parameter.mount_path in inputs.mount_paths
    return is_mounted or inputs.value(parameter.variable) != ""


def _named(name: str, known: Known) -> Parameter | None:
    return known.by_variable.get(name) or known.by_name.get(name)


def wrong_value(parameter: Parameter, value: str) -> str:
    """Return what is wrong with a value, "" if nothing is; the text does not repeat the value."""
    if value in ("", parameter.default):
        return ""
    if (parameter.type == "enum" or parameter.values) and value not in parameter.values:
        return f"must be one of {', '.join(parameter.values)}"
    if parameter.type == "number" and _NUMBER.fullmatch(value) is None:
        return "must be a number"
    if parameter.type == "boolean" and value.lower() not in _TRUTHS:
        return "must be true or false"
    if parameter.type == "file_base64" and not _is_base64(value):
        return "must be the content of a file in base64"
    if parameter.pattern is not None and parameter.pattern.search(value) is None:
        return parameter.validation_message or f"must match {parameter.validator}"
    return ""


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
