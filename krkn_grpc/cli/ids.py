"""Short names for ids: an id can be named by any end that no other has. Pure.

The ids of one run are made from the run's, so their beginnings may be alike; ends never are.
"""

import uuid
from collections.abc import Iterable, Sequence

# 16 million of them: a terminal's names seldom clash, and a clash is said.
_LEAST = 6
FEWEST = 3
"""Characters of an end: with fewer an id would be found by accident."""


def is_uuid(text: str) -> bool:
    """Whether the text is a canonical lower-case UUID."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def end(text: str) -> str:
    """Return the end by which an id is named; texts that are no ids stay whole."""
    return text[-_LEAST:] if is_uuid(text) else text


def ends(texts: Iterable[str]) -> dict[str, str]:
    """Return for each id its end, all of the same length, by which they can be told apart."""
    known = set(texts)
    longest = max(map(len, known), default=0)
    for length in range(_LEAST, longest):
        short = {text: text[-length:] if is_uuid(text) else text for text in known}
        if len(set(short.values())) == len(known):
            return short
    return {text: text for text in known}


def ending(known: Iterable[str], given: str) -> Sequence[str]:
    """Return the ids that end so; `given` may begin with the … that a table shows."""
    if is_too_short(given):
        return []
    wanted = _wanted(given)
    return sorted({each for each in known if each.endswith(wanted)})


def is_too_short(given: str) -> bool:
    """Whether so short an end finds no id, though there may be one that ends so."""
    return len(_wanted(given)) < FEWEST


def _wanted(given: str) -> str:
    return given.lstrip("….").lower()
