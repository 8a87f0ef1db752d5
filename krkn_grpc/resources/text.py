"""Rules for the characters of names and paths that people read, and of values that are sent.

The sets are listed here and not taken from Python, whose Unicode tables differ between versions:
another Python version must not accept or trim names differently.
"""

import re

WHITE_SPACE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""The characters that are trimmed from the ends of a name."""

# The categories Cc and Cs. No loop over characters: a kubeconfig has thousands of them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Two more break a line (U+2028, U+2029); the others embed, override and isolate a text direction,
# which can make a name look like another one.
_MISLEADING = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]")


def has_control_characters(text: str, allowed: str = "") -> bool:
    """Whether text has control characters or lone surrogates other than the allowed ones."""
    return any(character not in allowed for character in _CONTROL.findall(text))


def can_be_shown(text: str) -> bool:
    """Whether a name or path is displayed unchanged: it has no control or direction character."""
    return _MISLEADING.search(text) is None


def trimmed(name: str) -> str:
    """Return a name without the white space around it."""
    return name.strip(WHITE_SPACE)


def on_one_line(text: str) -> str:
    """Return a text that anyone may have written, with one space for each run of white space.

    Control and direction characters count as white space.
    """
    return " ".join(_MISLEADING.sub(" ", text).split())
