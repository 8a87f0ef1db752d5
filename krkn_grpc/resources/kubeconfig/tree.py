"""Parses text to plain data: only the part of YAML (and JSON) that a kubeconfig needs.

No aliases, anchors, tags, merge keys or second documents; each key once; bounded in size, depth
and number of values. The result has only strings, booleans, nulls, lists, mappings and `Other`.
"""

import json
from collections.abc import Iterator
from enum import Enum
from typing import Literal, NoReturn, TypeAlias

import yaml
from yaml import CSafeLoader
from yaml.resolver import Resolver

from krkn_grpc.resources.kubeconfig.model import MAX_BYTES, KubeconfigError
from krkn_grpc.resources.text import has_control_characters
from krkn_grpc.resources.violation import Violation

MAX_DEPTH = 32
# 250 contexts with cluster and user have half as many. One value takes some microseconds.
MAX_VALUES = 10_000
ROOT = "kubeconfig"

# Only these appear in the path of a violation: any other key may be a credential.
FIELD_NAMES = frozenset(
    {
        "apiVersion",
        "kind",
        "preferences",
        "clusters",
        "contexts",
        "users",
        "current-context",
        "extensions",
        "name",
        "cluster",
        "context",
        "user",
        "namespace",
        "server",
        "certificate-authority",
        "certificate-authority-data",
        "insecure-skip-tls-verify",
        "tls-server-name",
        "proxy-url",
        "disable-compression",
        "token",
        "tokenFile",
        "username",
        "password",
        "client-certificate",
        "client-certificate-data",
        "client-key",
        "client-key-data",
        "exec",
        "auth-provider",
        "as",
        "as-uid",
        "as-groups",
        "as-user-extra",
    }
)


class Other(Enum):
    """A scalar that is neither text nor a boolean nor null: a number."""

    SCALAR = "scalar"


Tree: TypeAlias = "str | bool | Literal[Other.SCALAR] | list[Tree] | dict[str, Tree] | None"


def load(text: str) -> Tree:
    """Parse a kubeconfig's YAML or JSON; raise KubeconfigError for what it must not hold."""
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        size = -1
    if size < 0:
        refuse(ROOT, "It must be valid UTF-8.")
    if size > MAX_BYTES:
        refuse(ROOT, f"It must have at most {MAX_BYTES // 1024} KiB.")
    text = text.removeprefix("\ufeff")
    if has_control_characters(text, allowed="\t\r\n\x85"):
        refuse(ROOT, "It must have no NUL bytes or other control characters.")
    if not text.strip():
        refuse(ROOT, "It must not be empty.")
    # YAML readers disagree on some JSON (tabs, \/, surrogate pairs), so JSON is read as JSON.
    parsed = _json(text) if text.lstrip().startswith("{") else None
    return (
        _JsonReader().tree(parsed, ROOT, 1) if parsed is not None else _YamlReader(text).document()
    )


def child(path: str, key: str) -> str:
    """Return the path of a field, or of its parent if the field's name is not known."""
    return f"{path}.{key}" if key in FIELD_NAMES else path


def refuse(path: str, sentence: str) -> NoReturn:
    """Raise KubeconfigError with this one violation."""
    raise KubeconfigError([Violation(path, sentence)])


class _Pairs(list[tuple[str, object]]):
    """The members of a JSON object, with repeated names."""


def _json(text: str) -> object | None:
    """Parse JSON, or return None if it is not JSON (a YAML flow mapping looks alike)."""
    other = Other.SCALAR
    try:
        parsed: object = json.loads(
            text,
            object_pairs_hook=_Pairs,
            parse_int=lambda _: other,
            parse_float=lambda _: other,
            parse_constant=lambda _: other,
        )
    except (ValueError, RecursionError):
        return None  # the YAML reader says what is wrong with it
    return parsed


class _Bounds:
    """Limits the depth and the number of the values of one text."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def count(self, depth: int) -> None:
        """Count one value; refuse the text when it has too many, or is nested too deep."""
        self._left -= 1
        if self._left < 0:
            refuse(ROOT, f"It must have at most {MAX_VALUES} values.")
        if depth > MAX_DEPTH:
            refuse(ROOT, f"It must not be nested deeper than {MAX_DEPTH} levels.")


class _JsonReader:
    """Builds the tree from the result of Python's own JSON reader."""

    def __init__(self) -> None:
        self._bounds = _Bounds()

    def tree(self, parsed: object, path: str, depth: int) -> Tree:
        self._bounds.count(depth)
        match parsed:
            case _Pairs():
                mapping: dict[str, Tree] = {}
                for key, value in parsed:
                    _check_key(key, mapping, path)
                    mapping[key] = self.tree(value, child(path, key), depth + 1)
                return mapping
            case list():
                return [
                    self.tree(value, f"{path}[{index}]", depth + 1)
                    for index, value in enumerate(parsed)
                ]
            case str():
                return _checked_text(parsed, path)
            case bool() | None:
                return parsed
            case _:
                return Other.SCALAR


class _YamlReader:
    """Builds the tree from libyaml's events, so that nothing forbidden is ever constructed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._resolver = Resolver()
        self._bounds = _Bounds()

    def document(self) -> Tree:
        try:
            return self._document(yaml.parse(self._text, Loader=CSafeLoader))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
        except yaml.YAMLError:
            mark = None
        # Raised here and not above: the parser's own error quotes the text.
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        refuse(ROOT, f"It is not valid YAML{where}.")

    def _document(self, events: Iterator[yaml.Event]) -> Tree:
        documents: list[Tree] = []
        for event in events:
            match event:
                case yaml.StreamStartEvent() | yaml.StreamEndEvent() | yaml.DocumentEndEvent():
                    pass
                case yaml.DocumentStartEvent():
                    if event.tags:
                        refuse(ROOT, "YAML tags are not allowed.")
                case _:
                    documents.append(self._node(event, events, ROOT, 1))
        # A line of three dashes before or after the one document makes empty ones.
        given = [document for document in documents if document is not None]
        if len(given) > 1:
            refuse(ROOT, "It must be one YAML document.")
        return given[0] if given else None

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: str, depth: int) -> Tree:
        self._bounds.count(depth)
        if isinstance(event, yaml.AliasEvent):
            refuse(path, "YAML aliases are not allowed.")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            refuse(path, "YAML anchors are not allowed.")
        match event:
            case yaml.CollectionStartEvent(tag=str()) | yaml.ScalarEvent(tag=str()):
                refuse(path, "YAML tags are not allowed.")
            case yaml.MappingStartEvent():
                return self._mapping(events, path, depth)
            case yaml.SequenceStartEvent():
                return self._sequence(events, path, depth)
            case yaml.ScalarEvent():
                return self._scalar(event, path)
            case _:
                refuse(path, "It is not valid YAML.")

    def _mapping(self, events: Iterator[yaml.Event], path: str, depth: int) -> Tree:
        mapping: dict[str, Tree] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, path, depth + 1)
            if not isinstance(key, str) or key == "<<":
                refuse(path, "The key of a field must be plain text.")
            _check_key(key, mapping, path)
            mapping[key] = self._node(next(events), events, child(path, key), depth + 1)
        return mapping

    def _sequence(self, events: Iterator[yaml.Event], path: str, depth: int) -> Tree:
        sequence: list[Tree] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            sequence.append(self._node(event, events, f"{path}[{len(sequence)}]", depth + 1))
        return sequence

    def _scalar(self, event: yaml.ScalarEvent, path: str) -> Tree:
        match self._tag_of(event):
            # Kubernetes' reader takes those from the second on as text.
            case (
                "tag:yaml.org,2002:str"
                | "tag:yaml.org,2002:merge"
                | "tag:yaml.org,2002:timestamp"
                | "tag:yaml.org,2002:value"
            ):
                return _checked_text(event.value, path)
            case "tag:yaml.org,2002:int" | "tag:yaml.org,2002:float" if ":" in event.value or (
                event.value.startswith(".") and "_" in event.value
            ):
                return _checked_text(event.value, path)  # such as 1:30, a base-60 number
            case "tag:yaml.org,2002:bool":
                return event.value.lower() in ("true", "yes", "on")
            case "tag:yaml.org,2002:null":
                return None
            case _:
                return Other.SCALAR

    def _tag_of(self, event: yaml.ScalarEvent) -> str:
        # types-PyYAML has no annotation for resolve().
        tag: str = self._resolver.resolve(  # type: ignore[no-untyped-call]
            yaml.ScalarNode, event.value, event.implicit
        )
        return tag


def _check_key(key: str, mapping: dict[str, Tree], path: str) -> None:
    if key in mapping:
        refuse(child(path, key), "A field is given more than once.")


def _checked_text(text: str, path: str) -> str:
    # Escapes ("\0") can add characters that the check of the whole text did not see.
    if has_control_characters(text, allowed="\t\r\n\x85"):
        refuse(path, "It must have no NUL bytes or other control characters.")
    return text
