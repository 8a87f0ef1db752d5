"""What Kubernetes allows as the key and the value of a label, and as the name of an object."""

import re

_WORD = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
_LONGEST_PREFIX = 253
_KEY = re.compile(rf"(?:(?P<prefix>{_PREFIX})/)?{_WORD}")
_SUBDOMAIN = re.compile(_PREFIX)
_VALUE = re.compile(rf"(?:{_WORD})?")


def is_key(text: str) -> bool:
    """Whether the text can be a label's key: a name, or a DNS subdomain, a slash and a name."""
    found = _KEY.fullmatch(text)
    return found is not None and len(found["prefix"] or "") <= _LONGEST_PREFIX


def is_value(text: str) -> bool:
    """Whether the text can be a label's value, which may be empty."""
    return _VALUE.fullmatch(text) is not None


def is_subdomain(text: str) -> bool:
    """Whether the text is a DNS subdomain, as the names of most objects are."""
    return len(text) <= _LONGEST_PREFIX and _SUBDOMAIN.fullmatch(text) is not None
