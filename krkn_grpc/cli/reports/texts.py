"""Texts from elsewhere, as a document may have them. Pure."""

import re

# Colours, movements of the cursor, links and titles of a terminal, as krkn and others write them.
_ESCAPES = re.compile(
    r"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]"
)
# Control characters, line separators, and characters that change the direction of text.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# No document in XML or UTF-8 can have these.
_NO_CHARACTERS = re.compile(r"[\ud800-\udfff\ufffe\uffff]")

LONGEST_LINE = 2_000


def clean(text: str) -> str:
    """Return a text on one line, without what moves a terminal or is no character in XML."""
    shown = _CONTROL.sub(" ", _ESCAPES.sub("", text.replace("\t", "    ")))
    return _NO_CHARACTERS.sub("\ufffd", shown)


def cut(text: str, most: int = LONGEST_LINE) -> str:
    """Return at most so many characters of a text; what is cut ends with an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def count(number: int, noun: str) -> str:
    """Return `1 target`, `2 targets`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
