"""Reads messages of the service into the client's models, field by field of the same name."""

import functools
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.message import Message

M = TypeVar("M")


def read(message: Message, model: type[M]) -> M:
    """Return the model of a message; a field that is left out is None where the model allows it."""
    kinds = _kinds(model)  # type: ignore[arg-type]  # every type is hashable
    return model(**{name: _value(message, name, kind) for name, kind in kinds.items()})


def time_of(text: str) -> datetime | None:
    """Parse an RFC 3339 time; None for what is none. Digits beyond microseconds are cut."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


@functools.cache
def _kinds(model: Any) -> Mapping[str, Any]:
    hints = typing.get_type_hints(model)
    return {each.name: hints[each.name] for each in fields(model)}


def _value(message: Message, name: str, kind: Any) -> Any:
    arguments = typing.get_args(kind)
    if type(None) in arguments:
        if not message.HasField(name):
            return None
        [kind] = [each for each in arguments if each is not type(None)]
    value = getattr(message, name)
    if kind is datetime:
        return time_of(value)
    if typing.get_origin(kind) is tuple:
        of = typing.get_args(kind)[0]
        return tuple(each if of is str else read(each, of) for each in value)
    if typing.get_origin(kind) is Mapping:
        return dict(value)
    if is_dataclass(kind) and isinstance(kind, type):
        return read(value, kind)
    return kind(value) if isinstance(kind, type) and issubclass(kind, StrEnum) else value
