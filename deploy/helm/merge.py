"""Manifests and their variants become one tree of a template, with conditions where they differ."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from deploy.helm import nodes
from deploy.helm.nodes import Entry, Expression, Items, Lines, Node, When

Varied: TypeAlias = Sequence[tuple[str, Any]]
"""Other values than the default, each with the condition under which it holds."""

ABSENT = object()

# What Kubernetes merges the items of lists by.
_MERGE_KEYS = ("mountPath", "name", "containerPort")


def merged(value: Any, varied: Varied = ()) -> Node:
    """Return the tree of a value that is another one under some conditions."""
    if isinstance(value, Lines):
        return value
    if isinstance(value, dict):
        return nodes.Mapping(
            [
                _placed(
                    node if isinstance(node, Lines) and key.startswith("+") else Entry(key, node),
                    when,
                )
                for key, node, when in _each(_union(value, varied))
            ]
        )
    if isinstance(value, list):
        others = [(when, _identified(each)) for when, each in varied]
        items = _each(_union(_identified(value), others))
        return Items([_placed(node, when) for _, node, when in items])
    chosen = plain = json.dumps(value)
    for when, each in varied:
        if each != value:
            chosen = f"(ternary {json.dumps(each)} {chosen} {when})"
    if chosen == plain:
        node: Node = value
        return node
    quoted = " | quote" if isinstance(value, str) else ""
    return Expression(f"{{{{ {chosen[1:-1]}{quoted} }}}}")


def _union(value: Mapping[str, Any], varied: Varied) -> dict[str, tuple[Any, Varied]]:
    keys = dict.fromkeys([*value, *(key for _, each in varied for key in each)])
    return {
        key: (value.get(key, ABSENT), [(when, each.get(key, ABSENT)) for when, each in varied])
        for key in keys
    }


def _each(entries: Mapping[str, tuple[Any, Varied]]) -> Iterator[tuple[str, Node, str]]:
    """Yield each key, its tree, and the condition under which it is there ("": always)."""
    for key, (value, varied) in entries.items():
        present = [(when, each) for when, each in varied if each is not ABSENT]
        if value is ABSENT:
            for when, each in present:
                yield key, merged(each), when
            continue
        without = [when for when, each in varied if each is ABSENT]
        yield key, merged(value, present), but_for(without)


def but_for(conditions: Sequence[str]) -> str:
    """Return the condition that none of these holds, "" if there are none."""
    if len(conditions) > 1:
        return f"not (or {' '.join(conditions)})"
    return f"not {conditions[0]}" if conditions else ""


def _placed(node: Any, when: str) -> Any:
    return When(when, node) if when else node


def _identified(items: Sequence[Any]) -> dict[str, Any]:
    """Name each item by what Kubernetes merges such lists by, else by its content."""
    named = {}
    for item in items:
        keys = [key for key in _MERGE_KEYS if isinstance(item, dict) and key in item]
        named[str(item[keys[0]]) if keys else json.dumps(item, sort_keys=True)] = item
    return named
