"""Label selectors, written as Kubernetes writes them: `a=b,c!=d,e in (f,g),h notin (i),j,!k`."""

import re
from collections.abc import Callable, Mapping

Selector = Callable[[Mapping[str, str]], bool]

_LONGEST = 4_096
_KEY = r"[A-Za-z0-9][-A-Za-z0-9_./]*"
_VALUE = r"[-A-Za-z0-9_.]*"
_REQUIREMENT = re.compile(
    rf"\s*(?:(?P<not>!)\s*(?P<absent>{_KEY})"
    rf"|(?P<key>{_KEY})\s*(?:(?P<op>==|=|!=)\s*(?P<value>{_VALUE})"
    rf"|(?P<set>\s(?:in|notin))\s*\((?P<values>[^()]*)\))?)\s*(?:,|$)"
)
_ONE_VALUE = re.compile(_VALUE)


class BadSelector(ValueError):
    """The text is not a label selector."""


def parse(text: str) -> Selector:
    """Return the selector; an empty text selects everything. Raises BadSelector."""
    if len(text) > _LONGEST:
        raise BadSelector
    requirements: list[Selector] = []
    position = 0
    while position < len(text):
        match = _REQUIREMENT.match(text, position)
        if match is None or (match.end() == len(text) and text.endswith(",")):
            raise BadSelector
        requirements.append(_requirement(match))
        position = match.end()
    return lambda labels: all(holds(labels) for holds in requirements)


def _requirement(match: re.Match[str]) -> Selector:
    key, value = match["key"], match["value"]
    if match["not"]:
        absent = match["absent"]
        return lambda labels: absent not in labels
    if match["op"] == "!=":
        return lambda labels: labels.get(key) != value
    if match["op"]:
        return lambda labels: labels.get(key) == value
    if match["set"]:
        values = {part.strip() for part in match["values"].split(",")}
        if not all(_ONE_VALUE.fullmatch(part) for part in values):
            raise BadSelector
        if match["set"].strip() == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    return lambda labels: key in labels
