"""Label selectors in the syntax of Kubernetes.

Such as `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.

By hand: no library parses this syntax.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from krkn_grpc.resources import label_grammar

Requirement = Callable[[Mapping[str, str]], bool]

# Each requirement is checked for every object of a list.
_MOST_REQUIREMENTS = 64
# As many labels as an object may have, each as long as it can be: with `=` and a comma, 382
# characters.
_LONGEST = 32_768
# Without a sign: no label value can have one. Python's `int` accepts more, such as `1_0`.
_INTEGER = re.compile(r"[0-9]+")
_LARGEST_INTEGER = 2**63 - 1
# White space, operators and punctuation, and the words between them.
_TOKEN = re.compile(r"[ \t\r\n]+|==|!=|[=!,()<>]|[^ \t\r\n=!,()<>]+")


class BadSelector(ValueError):
    """The text is not a label selector."""


@dataclass(frozen=True)
class Selector:
    """Selects labels that meet all requirements; `pairs` are labels that each match has."""

    requirements: tuple[Requirement, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()

    def __call__(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(holds(labels) for holds in self.requirements)


def parse(text: str) -> Selector:
    """Return the selector; an empty text selects everything. Raises BadSelector."""
    if len(text) > _LONGEST:
        raise BadSelector
    tokens = [token for token in _TOKEN.findall(text) if not token.isspace()]
    if not tokens:
        return Selector()
    parts = _parts(tokens)
    if len(parts) > _MOST_REQUIREMENTS:
        raise BadSelector
    requirements = tuple(map(_requirement, parts))
    return Selector(requirements, tuple(pair for part in parts for pair in _pairs(part)))


def _parts(tokens: list[str]) -> list[list[str]]:
    """Split the tokens at the commas outside brackets."""
    parts: list[list[str]] = [[]]
    is_within = False
    for token in tokens:
        is_within = token == "(" or (is_within and token != ")")
        if token == "," and not is_within:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _pairs(tokens: list[str]) -> list[tuple[str, str]]:
    match tokens:
        case [key, "=" | "==", *value]:
            return [(_key(key), _value(value))]
    return []


def _requirement(tokens: list[str]) -> Requirement:
    match tokens:
        case ["!", key]:
            absent = _key(key)
            return lambda labels: absent not in labels
        case [key]:
            present = _key(key)
            return lambda labels: present in labels
        case [key, "=" | "==", *value]:
            return _among(_key(key), {_value(value)})
        case [key, "!=", *value]:
            return _not_among(_key(key), {_value(value)})
        case [key, ">", *value]:
            return _compared(_key(key), operator.gt, _integer(_value(value)))
        case [key, "<", *value]:
            return _compared(_key(key), operator.lt, _integer(_value(value)))
        case [key, "in", "(", *values, ")"]:
            return _among(_key(key), set(map(_value, _parts(values))))
        case [key, "notin", "(", *values, ")"]:
            return _not_among(_key(key), set(map(_value, _parts(values))))
    raise BadSelector


def _among(key: str, values: set[str]) -> Requirement:
    return lambda labels: labels.get(key) in values


def _not_among(key: str, values: set[str]) -> Requirement:
    # An object without the label is selected, too.
    return lambda labels: labels.get(key) not in values


def _compared(key: str, compares: Callable[[int, int], bool], bound: int | None) -> Requirement:
    if bound is None:
        raise BadSelector

    def holds(labels: Mapping[str, str]) -> bool:
        # A label that is absent or not an integer matches neither `>` nor `<`.
        number = _integer(labels.get(key, ""))
        return number is not None and compares(number, bound)

    return holds


def _integer(text: str) -> int | None:
    number = int(text) if _INTEGER.fullmatch(text) else None
    return number if number is not None and number <= _LARGEST_INTEGER else None


def _key(text: str) -> str:
    if not label_grammar.is_key(text):
        raise BadSelector
    return text


def _value(tokens: list[str]) -> str:
    text = tokens[0] if tokens else ""
    if len(tokens) > 1 or not label_grammar.is_value(text):
        raise BadSelector
    return text
