"""A template as a tree, and its text: YAML with Helm's expressions in it."""

import itertools
import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

WIDTH = 110


@dataclass(frozen=True)
class Expression:
    """A scalar that is written as it is: `{{ .Values.replicas }}`."""

    text: str


class Template(str):
    """A text that is an expression, or has one in it, and needs no quotes."""

    __slots__ = ()


@dataclass(frozen=True)
class Lines:
    """Lines of a template in the place of entries; `%d` is the indentation that they have."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class When:
    """Something that is there only under a condition."""

    condition: str
    node: "Node"


@dataclass(frozen=True)
class Entry:
    """A key of a mapping with its value."""

    key: str
    node: "Node"


@dataclass(frozen=True)
class Mapping:
    """A mapping: entries, conditional ones, and lines."""

    entries: list["Entry | When | Lines"] = field(default_factory=list)


@dataclass(frozen=True)
class Items:
    """A list: items, conditional ones, and lines."""

    items: list["Node"] = field(default_factory=list)


Scalar: TypeAlias = str | int | float | bool | None
Node: TypeAlias = Scalar | Expression | Lines | When | Entry | Mapping | Items


def text_of(mapping: Mapping) -> str:
    """Return the template's text."""
    return "\n".join(_mapping(mapping, 0)) + "\n"


def _mapping(mapping: Mapping, indent: int) -> Iterator[str]:
    for entry in mapping.entries:
        if isinstance(entry, When):
            yield from _when(entry, indent, _mapping(Mapping([_entry_of(entry.node)]), indent))
        elif isinstance(entry, Lines):
            yield from _lines(entry, indent)
        else:
            yield from _entry(entry, indent)


def _entry_of(node: Node) -> Entry | When | Lines:
    if isinstance(node, Entry | When | Lines):
        return node
    raise TypeError(f"{node!r} is no entry of a mapping")


def _entry(entry: Entry, indent: int) -> Iterator[str]:
    key, node = f"{' ' * indent}{_scalar(entry.key)}:", entry.node
    match node:
        case Mapping():
            yield f"{key} {{}}" if not node.entries else key
            yield from _mapping(node, indent + 2)
        case Items() if (flow := _flow(node)) and len(key) + len(flow) < WIDTH:
            yield f"{key} {flow}"
        case Items():
            yield key
            yield from _items(node, indent + 2)
        case Lines():
            yield key
            yield from _lines(node, indent + 2)
        case _:
            first, *rest = _value(node, indent + 2)
            yield f"{key} {first}"
            yield from rest


def _flow(items: Items) -> str:
    """Return a short list of words in one line, "" for another one."""
    words = [item for item in items.items if isinstance(item, str) and "\n" not in item]
    if len(words) < len(items.items) or any("{{" in word for word in words):
        return ""
    return yaml.safe_dump(words, default_flow_style=True, width=10**6).strip()


def _items(items: Items, indent: int) -> Iterator[str]:
    for item in items.items:
        match item:
            case When():
                yield from _when(item, indent, _items(Items([item.node]), indent))
            case Lines():
                yield from _lines(item, indent)
            case Mapping([]):
                yield f"{' ' * indent}- {{}}"
            case Items([]):
                yield f"{' ' * indent}- []"
            case Mapping() | Items():
                inner = (
                    _mapping(item, indent + 2)
                    if isinstance(item, Mapping)
                    else _items(item, indent + 2)
                )
                for number, line in enumerate(inner):
                    # The dash belongs to the item's first line, which is never a condition.
                    yield f"{' ' * indent}- {line.lstrip()}" if number == 0 else line
            case _:
                first, *rest = _value(item, indent + 2)
                yield f"{' ' * indent}- {first}"
                yield from rest


def _when(when: When, indent: int, inner: Iterator[str]) -> Iterator[str]:
    yield f"{' ' * indent}{{{{- if {when.condition} }}}}"
    yield from inner
    yield f"{' ' * indent}{{{{- end }}}}"


def _lines(lines: Lines, indent: int) -> Iterator[str]:
    for line in lines.lines:
        yield " " * indent + line.replace("%d", str(indent))


def _value(node: Node, indent: int) -> list[str]:
    if isinstance(node, Expression):
        return [node.text]
    if isinstance(node, Template):
        return [str(node)]
    if not isinstance(node, str):
        return [json.dumps(node)]
    pad = " " * indent
    if "\n" in node and _is_block(node):
        chomp = "" if node.endswith("\n") else "-"
        return [f"|{chomp}", *(f"{pad}{line}".rstrip() for line in node.rstrip("\n").split("\n"))]
    plain = _scalar(node)
    if len(plain) + indent <= WIDTH or "  " in node or not _is_simple(node):
        return [plain]
    # An expression stays on one line.
    whole = re.sub(r"\{\{.*?\}\}", lambda found: found[0].replace(" ", "\0"), node)
    width = max(40, WIDTH - indent)
    folded = textwrap.wrap(whole, width, break_long_words=False, break_on_hyphens=False)
    return [">-", *(pad + line.replace("\0", " ") for line in folded)]


def _is_block(text: str) -> bool:
    lines = text.removesuffix("\n").split("\n")
    edges = (lines[0], lines[-1])
    return all(not line or _is_simple(line) for line in lines) and all(
        line and not line[0].isspace() for line in edges
    )


def _is_simple(line: str) -> bool:
    """Return whether a block can hold the line: YAML breaks lines at more than ASCII has."""
    return line.isascii() and line.isprintable() and line == line.strip("\t").rstrip()


# What reads best without quotes, and means itself: words, and expressions with text around them.
_PLAIN = re.compile(r"(?:[\w./-]|\{\{ (?:[^{}\"]|\"[^{}\"]*\")+ \}\})+")


def _scalar(value: str) -> str:
    if "{{" in value and _PLAIN.fullmatch(value):
        return value
    if "{{" in value:
        return "'" + value.replace("'", "''") + "'" if '"' in value else f'"{value}"'
    written = yaml.safe_dump(value, width=10**6).removesuffix("\n...\n")
    if "\n" in written.strip():
        written = yaml.safe_dump(value, width=10**6, default_style='"')
    return written.strip()


def document(comment: Sequence[str], mappings: Sequence[tuple[str, Mapping]]) -> str:
    """Return a template file: objects, each with a condition or ""; `comment` is not rendered."""
    parts = ["{{- /* " + "\n".join(comment) + " */ -}}\n"]
    for condition, group in itertools.groupby(mappings, key=lambda pair: pair[0]):
        body = "".join(f"---\n{text_of(mapping)}" for _, mapping in group)
        parts.append(f"{{{{- if {condition} }}}}\n{body}{{{{- end }}}}\n" if condition else body)
    return "".join(parts)


def quoted(value: str) -> str:
    """Return the text in double quotes."""
    return json.dumps(value)
