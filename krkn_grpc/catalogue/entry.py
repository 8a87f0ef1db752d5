"""Reads one entry of the catalogue, in krkn-hub's format, within bounds. Pure.

An entry is an array of fields as krkn-hub's krknctl-input.json, or an object with such `fields`, a
`title`, `description`, `image`, `kubeconfigPath`, `rollback` and `isScenario`.
"""

import re
from typing import Annotated, Any, cast

import msgspec
import re2

from krkn_grpc.catalogue.model import TYPES, Parameter, Parameters, ParameterType, Pattern, Scenario
from krkn_grpc.resources import environment, images, mounts
from krkn_grpc.resources.chaos_job import DEFAULT_KUBECONFIG_PATH

LARGEST = 256 * 1024
"""Bytes of an entry."""
MOST_FIELDS = 300
LONGEST_PATTERN = 1_024
LONGEST_IMAGE = 512

_PATTERN_MEMORY = 1024 * 1024  # bytes that one compiled pattern may take
_NAME = re.compile(r"[A-Za-z0-9][-._A-Za-z0-9]{0,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_GROUP = "Group"

_Short = Annotated[str, msgspec.Meta(max_length=512)]
_Long = Annotated[str, msgspec.Meta(max_length=8_192)]
# krkn-hub writes truth as text in most places.
_Truth = bool | str


class Unreadable(ValueError):
    """An entry that cannot be used; the text says why, and repeats no value of it."""


class _Field(msgspec.Struct):
    name: _Short
    type: _Short
    variable: _Short = ""
    short_description: _Long = ""
    description: _Long = ""
    default: _Long | int | float | bool | None = None
    required: _Truth = False
    validator: _Long | None = None
    validation_message: _Long | None = None
    separator: _Short | None = None
    allowed_values: _Long | None = None
    mount_path: _Long | None = None
    requires: _Long | None = None
    mutually_excludes: _Long | None = None
    secret: _Truth = False
    group: _Short | None = None


_Fields = Annotated[list[_Field], msgspec.Meta(max_length=MOST_FIELDS)]


class _Entry(msgspec.Struct, rename="camel"):
    fields: _Fields
    title: _Short = ""
    description: _Long = ""
    image: _Short = ""
    kubeconfig_path: _Long = DEFAULT_KUBECONFIG_PATH
    rollback: _Truth = False
    is_scenario: _Truth = True


def is_name(text: str) -> bool:
    """Whether a scenario of the catalogue may have this name."""
    return _NAME.fullmatch(text) is not None


def scenario(name: str, content: bytes, *, is_built_in: bool) -> Scenario:
    """Return the scenario of an entry; raises Unreadable."""
    if not is_name(name):
        raise Unreadable("its name is not one of letters, digits, - . and _")
    entry = _decoded(content)
    if entry.image and not (len(entry.image) <= LONGEST_IMAGE and images.is_reference(entry.image)):
        raise Unreadable("its image is not an image reference")
    if not mounts.is_plain(entry.kubeconfig_path):
        raise Unreadable("its kubeconfigPath is not the plain path of a file")
    return Scenario(
        name=name,
        title=entry.title or name,
        description=entry.description,
        image=entry.image,
        kubeconfig_path=entry.kubeconfig_path,
        has_rollback=_is_true(entry.rollback),
        is_scenario=_is_true(entry.is_scenario),
        is_built_in=is_built_in,
        parameters=_parameters(entry.fields),
    )


def global_parameters(content: bytes) -> Parameters:
    """Return the parameters of an entry; raises Unreadable."""
    return _parameters(_decoded(content).fields)


def _decoded(content: bytes) -> _Entry:
    if len(content) > LARGEST:
        raise Unreadable(f"it has more than {LARGEST} bytes")
    try:
        if content.lstrip()[:1] == b"[":
            return _Entry(fields=msgspec.json.decode(content, type=_Fields))
        return msgspec.json.decode(content, type=_Entry)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        # msgspec names the place and the expected type, and no value.
        raise Unreadable(f"it is not in krkn-hub's format: {error}") from None


def _parameters(fields: list[_Field]) -> Parameters:
    listed = [_parameter(each) for each in fields if each.type != _GROUP]
    # krkn's own list has the variables of the kubeconfig's path, which the service sets.
    usable = [
        each
        for each in listed
        if each.variable not in environment.RESERVED and not environment.loads_code(each.variable)
    ]
    variables = [each.variable for each in usable]
    if len(set(variables)) < len(variables):
        raise Unreadable("two of its fields have the same variable")
    secret = frozenset(each.variable for each in usable if each.is_secret)
    return Parameters(listed=tuple(usable), secret=secret)


def _parameter(field: _Field) -> Parameter:
    if not field.name:
        raise Unreadable("a field has no name")
    if field.type not in TYPES:
        raise Unreadable(f"{field.name}: its type is not one of {', '.join(sorted(TYPES))}")
    if _VARIABLE.fullmatch(field.variable) is None:
        raise Unreadable(f"{field.name}: its variable is not a name that a variable can have")
    separator = field.separator or ","
    allowed = _split(field.allowed_values, separator)
    if field.type == "enum" and not allowed:
        raise Unreadable(f"{field.name}: an enum needs allowed_values")
    if field.mount_path and not mounts.is_plain(field.mount_path):
        raise Unreadable(f"{field.name}: its mount_path is not the plain path of a file")
    return Parameter(
        name=field.name,
        variable=field.variable,
        type=cast(ParameterType, field.type),
        short_description=field.short_description,
        description=field.description,
        default=_text(field.default),
        is_required=_is_true(field.required),
        validator=field.validator or "",
        validation_message=field.validation_message or "",
        separator=field.separator or "",
        allowed_values=field.allowed_values or "",
        mount_path=field.mount_path or "",
        requires=_split(field.requires, ","),
        excludes=_split(field.mutually_excludes, ","),
        is_secret=_is_true(field.secret) or environment.looks_secret(field.variable),
        group=field.group or "",
        values=allowed,
        pattern=_compiled(field) if field.validator else None,
    )


def _compiled(field: _Field) -> Pattern:
    """Return the pattern of a field. krknctl's engine has the same syntax, without look-around."""
    pattern = field.validator or ""
    if len(pattern) > LONGEST_PATTERN:
        raise Unreadable(f"{field.name}: its pattern has more than {LONGEST_PATTERN} characters")
    options: Any = re2.Options()
    options.max_mem = _PATTERN_MEMORY
    options.log_errors = False
    try:
        return cast(Pattern, re2.compile(pattern, options))
    except re2.error:
        raise Unreadable(f"{field.name}: its pattern is not one of RE2, or too large") from None


def _split(text: str | None, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(separator) if part.strip())


def _is_true(value: _Truth) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _text(value: str | float | bool | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
