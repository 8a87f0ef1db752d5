"""Label selectors in the syntax of Kubernetes.

Such as `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.

By hand: no library parses this syntax.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Self

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
    """The text is not a label selector; the message says why, or at which character, from 1 on."""


class _Token(str):
    """A word, operator or punctuation mark, and its first character's position in the selector."""

    __slots__ = ("at",)
    at: int

    def __new__(cls, text: str, at: int) -> Self:
        """Return the token."""
        token = super().__new__(cls, text)
        token.at = at
        return token


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
        msg = f"is longer than {_LONGEST} characters"
        raise BadSelector(msg)
    found = [_Token(each[0], each.start() + 1) for each in _TOKEN.finditer(text)]
    tokens = [token for token in found if not token.isspace()]
    if not tokens:
        return Selector()
    parts = _parts(tokens)
    if len(parts) > _MOST_REQUIREMENTS:
        msg = f"has more than {_MOST_REQUIREMENTS} requirements"
        raise BadSelector(msg)
    # What follows a requirement: a comma, or the end of the text.
    commas = accumulate((len(part) + 1 for part in parts), initial=-1)
    ends = [tokens[at].at if at < len(tokens) else len(text) + 1 for at in islice(commas, 1, None)]
    requirements = tuple(map(_requirement, parts, ends))
    return Selector(requirements, tuple(pair for part in parts for pair in _pairs(part)))


def _bad(at: int) -> BadSelector:
    return BadSelector(f"is not a label selector (character {at})")


def _parts(tokens: list[_Token]) -> list[list[_Token]]:
    """Split the tokens at the commas outside brackets."""
    parts: list[list[_Token]] = [[]]
    is_within = False
    for token in tokens:
        is_within = token == "(" or (is_within and token != ")")
        if token == "," and not is_within:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _pairs(tokens: list[_Token]) -> list[tuple[str, str]]:
    match tokens:
        case [key, "=" | "==", *value]:
            return [(_key(key), _value(value))]
    return []


def _requirement(tokens: list[_Token], end: int) -> Requirement:
    """Return the requirement; `end` is the position after it."""
    match tokens:
        case ["!", key]:
            absent = _key(key)
            return lambda labels: absent not in labels
        case [key] if key != "!":
            present = _key(key)
            return lambda labels: present in labels
        case [key, "=" | "==", *value]:
            return _among(_key(key), {_value(value)})
        case [key, "!=", *value]:
            return _not_among(_key(key), {_value(value)})
        case [key, ">" | "<" as sign, *value]:
            bound = _integer(_value(value))
            if bound is None:
                raise _bad(value[0].at if value else end)
            return _compared(_key(key), operator.gt if sign == ">" else operator.lt, bound)
        case [key, "in", "(", *values, ")"]:
            return _among(_key(key), set(map(_value, _parts(values))))
        case [key, "notin", "(", *values, ")"]:
            return _not_among(_key(key), set(map(_value, _parts(values))))
    raise _bad(_position(tokens, end))


def _position(tokens: list[_Token], end: int) -> int:
    """Return where tokens that are no requirement stop to look like one."""
    match tokens:
        case ["!", _, other, *_]:
            return other.at
        case [key, "in" | "notin", "(", *_] if label_grammar.is_key(key):
            return next((token.at for token in tokens[3:] if token == "("), end)
        case [key, "in" | "notin", other, *_] if label_grammar.is_key(key):
            return other.at
        case [key, "in" | "notin"] if label_grammar.is_key(key):
            return end
        case [key, other, *_] if label_grammar.is_key(key):
            return other.at
        case [first, *_] if first != "!":
            return first.at
    return end


def _among(key: str, values: set[str]) -> Requirement:
    return lambda labels: labels.get(key) in values


def _not_among(key: str, values: set[str]) -> Requirement:
    # An object without the label is selected, too.
    return lambda labels: labels.get(key) not in values


def _compared(key: str, compares: Callable[[int, int], bool], bound: int) -> Requirement:
    def holds(labels: Mapping[str, str]) -> bool:
        # A label that is absent or not an integer matches neither `>` nor `<`.
        number = _integer(labels.get(key, ""))
        return number is not None and compares(number, bound)

    return holds


def _integer(text: str) -> int | None:
    number = int(text) if _INTEGER.fullmatch(text) else None
    return number if number is not None and number <= _LARGEST_INTEGER else None


def _key(token: _Token) -> str:
    if not label_grammar.is_key(token):
        raise _bad(token.at)
    return str(token)


def _value(tokens: list[_Token]) -> str:
    if not tokens:
        return ""
    if not label_grammar.is_value(tokens[0]):
        raise _bad(tokens[0].at)
    if len(tokens) > 1:
        raise _bad(tokens[1].at)
    return str(tokens[0])
