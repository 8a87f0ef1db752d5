r"""Matchers of alerts in the syntax of Prometheus and Alertmanager: `{alertname="X",env=~"p.*"}`.

    condition = "{" matcher { "," matcher } [ "," ] "}"
    matcher   = name ( "=" | "!=" | "=~" | "!~" ) string

A name is a word or a string; a string stands in double quotes, with the escapes `\\`, `\"`, `\n`,
`\r`, `\t`, `\uXXXX` and `\UXXXXXXXX`. White space may stand between them.

All matchers must match. A regular expression must match the whole value, and is one of RE2, which
needs linear time. A label that is missing has the empty value.

By hand: the library of Prometheus is in Go, and those on PyPI evaluate with Python's `re`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import re2

LONGEST_CONDITION = 1_024
"""Characters of a condition."""

_MEMORY = 64 * 1024  # bytes of one compiled expression: as many as 1,024 plain characters need
_SPACE = re.compile(r"[ \t\r\n]*")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_OPERATOR = re.compile(r"=~|!~|!=|=")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPED = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
_LAST_CODE_POINT = 0x10FFFF


class BadCondition(ValueError):
    """The text is no condition; the error says why, and repeats nothing of it."""


@dataclass(frozen=True)
class Matcher:
    """What one label must be: its value, or, with an expression, a text that this matches."""

    name: str
    value: str
    is_negated: bool = False
    expression: Callable[[str], bool] | None = None

    def matches(self, given: str) -> bool:
        """Whether the label may have this value; "" stands for a label that is missing."""
        is_it = given == self.value if self.expression is None else self.expression(given)
        return is_it != self.is_negated


@dataclass(frozen=True)
class Condition:
    """Matchers that all must match one alert."""

    matchers: tuple[Matcher, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels meets the condition."""
        return all(each.matches(labels.get(each.name, "")) for each in self.matchers)


def parse(text: str) -> Condition:
    """Return the condition; raises BadCondition."""
    if len(text) > LONGEST_CONDITION:
        raise BadCondition(f"must have at most {LONGEST_CONDITION} characters")
    reader = _Reader(text)
    reader.expect("{")
    matchers = [_matcher(reader)]
    while reader.passes(",") and not reader.is_at("}"):
        matchers.append(_matcher(reader))
    reader.expect("}")
    if reader.at < len(text):
        reader.fail("nothing may follow the closing brace")
    return Condition(tuple(matchers))


def fault(text: str) -> str:
    """Return why a text is no condition; empty when it is one."""
    try:
        parse(text)
    except BadCondition as error:
        return str(error)
    return ""


class _Reader:
    """Reads a text from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0
        self._skip_space()

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return what matches here, and go on after it and the white space that follows."""
        found = pattern.match(self._text, self.at)
        if found is not None:
            self.at = found.end()
            self._skip_space()
        return found

    def is_at(self, mark: str) -> bool:
        return self._text.startswith(mark, self.at)

    def passes(self, mark: str) -> bool:
        """Go on after the mark and return True, if it is here."""
        if not self.is_at(mark):
            return False
        self.at += len(mark)
        self._skip_space()
        return True

    def expect(self, mark: str) -> None:
        if not self.passes(mark):
            self.fail(f"{mark} is expected")

    def fail(self, why: str) -> NoReturn:
        raise BadCondition(f'must be like {{alertname="X",env=~"p.*"}}: {why} at {self.at + 1}')

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self.at)
        self.at = found.end() if found is not None else self.at


def _matcher(reader: _Reader) -> Matcher:
    word = reader.take(_NAME)
    name = _string(reader, "a label's name") if word is None else word[0]
    if not name:
        reader.fail("a label's name is empty before the place")
    operator = reader.take(_OPERATOR)
    if operator is None:
        reader.fail("one of = != =~ !~ is expected")
    value = _string(reader, "a value in double quotes")
    is_negated, is_expression = operator[0].startswith("!"), operator[0].endswith("~")
    return Matcher(name, value, is_negated, _expression(value) if is_expression else None)


def _string(reader: _Reader, what: str) -> str:
    found = reader.take(_STRING)
    if found is None:
        reader.fail(f"{what} is expected")

    def unescaped(escape: re.Match[str]) -> str:
        code = escape[1] or escape[2]
        if code is None:
            if escape[3] in _ESCAPED:
                return _ESCAPED[escape[3]]
            reader.fail(r"no such escape before the place; \\ is a backslash and \" a quote")
        point = int(code, 16)
        if point > _LAST_CODE_POINT or 0xD800 <= point <= 0xDFFF:
            reader.fail("an escape before the place is no character")
        return chr(point)

    return _ESCAPE.sub(unescaped, found[1])


def _expression(pattern: str) -> Callable[[str], bool]:
    options: Any = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        expression = re2.compile(pattern, options)
    except re2.error:
        why = "a regular expression is not one of RE2, or too large when it is compiled"
        raise BadCondition(why) from None
    return lambda value: expression.fullmatch(value) is not None
