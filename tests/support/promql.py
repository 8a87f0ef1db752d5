"""Reads PromQL: which series an expression selects, and which labels its result has."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

import promql_parser as promql

# What a scrape adds, of a PodMonitor as of a Prometheus of `make run`.
OF_THE_SCRAPE = frozenset({"namespace", "pod", "container", "job", "instance"})
_WITHOUT_SERIES = frozenset({"time", "vector"})


class WrongLabels(AssertionError):
    """An expression names labels that its series do not have."""


@dataclass(frozen=True)
class Selector:
    """One selection of series, with the values of its matchers by their labels."""

    metric: str
    matchers: Mapping[str, str]


def parsed(expression: str) -> promql.Expr:
    """The tree of an expression of a dashboard, whose variables get a value."""
    return promql.parse(expression.replace("$__rate_interval", "5m"))


def selectors(expression: str) -> list[Selector]:
    """All selections in the expression."""
    return [
        Selector(node.name or "", {each.name: each.value for each in node.matchers.matchers})
        for node in _nodes(parsed(expression))
        if isinstance(node, promql.VectorSelector)
    ]


def _nodes(node: promql.Expr) -> Iterator[promql.Expr]:
    yield node
    for inner in _inner(node):
        yield from _nodes(inner)


def _inner(node: promql.Expr) -> list[promql.Expr]:
    match node:
        case promql.AggregateExpr() | promql.ParenExpr() | promql.UnaryExpr():
            return [node.expr]
        case promql.BinaryExpr():
            return [node.lhs, node.rhs]
        case promql.Call():
            return list(node.args)
        case promql.MatrixSelector():
            return [node.vector_selector]
        case promql.NumberLiteral() | promql.VectorSelector():
            return []
    # Its selectors would be passed over, and nothing checked: no expression of ours has one yet.
    raise TypeError(f"the checks of expressions know no {type(node).__name__}: {node}")


def labels(expression: str, metrics: Mapping[str, Set[str]]) -> Set[str]:
    """The labels of the result; raises WrongLabels for one that `metrics` do not have by name.

    Both sides of an operator must have the same labels: others would never meet.
    """
    return _labels(parsed(expression), metrics) or frozenset()


def _labels(node: promql.Expr, metrics: Mapping[str, Set[str]]) -> Set[str] | None:
    """The labels of a vector; None for a scalar."""
    match node:
        case promql.NumberLiteral():
            return None
        case promql.VectorSelector():
            return _selected(node, metrics)
        case promql.Call() if node.func.name in _WITHOUT_SERIES:
            return None if node.func.name == "time" else frozenset()
        case promql.Call() if node.func.name == "histogram_quantile":
            there = _labels(node.args[1], metrics) or frozenset()
            _must_be_there({"le"}, there, node)
            return there - {"le"}
        case promql.AggregateExpr():
            there = _labels(node.expr, metrics) or frozenset()
            if node.modifier is None:
                return frozenset()
            assert node.modifier.type == promql.AggModifierType.By, node
            wanted = frozenset(node.modifier.labels)
            _must_be_there(wanted, there, node)
            return wanted
        case promql.BinaryExpr():
            return _of_both(node, metrics)
    [inner] = _inner(node)
    return _labels(inner, metrics)


def _selected(node: promql.VectorSelector, metrics: Mapping[str, Set[str]]) -> Set[str]:
    name = node.name or ""
    if name not in metrics:
        raise WrongLabels(f"there is no metric {name}")
    there = metrics[name] | OF_THE_SCRAPE
    _must_be_there({each.name for each in node.matchers.matchers}, there, node)
    return there


def _of_both(node: promql.BinaryExpr, metrics: Mapping[str, Set[str]]) -> Set[str] | None:
    left, right = (_labels(side, metrics) for side in (node.lhs, node.rhs))
    if left is None or right is None:
        return right if left is None else left
    if left != right:
        raise WrongLabels(f"{sorted(left)} and {sorted(right)} never meet in {node}")
    return left


def _must_be_there(wanted: Set[str], there: Set[str], node: promql.Expr) -> None:
    if missing := wanted - there:
        raise WrongLabels(f"nothing has the label {', '.join(sorted(missing))} in {node}")
