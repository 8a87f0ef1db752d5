"""One string where thousands of objects say the same: a target, an image, a reason, a message.

Half of what a cache takes is repeated so.
"""

from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import force_setattr

S = TypeVar("S", bound=msgspec.Struct)

# What is said but once is in here too: it must not stay for ever.
MOST = 20_000


class Pool:
    """The texts and times that were seen lately."""

    def __init__(self) -> None:
        """Start with none."""
        self._known: dict[str | datetime, str | datetime] = {}

    def share(self, item: S) -> S:
        """Let the object use what equals its own and is there already; return it."""
        if len(self._known) > MOST:
            self._known.clear()
        self._share(item)
        return item

    def __len__(self) -> int:
        """Return how many there are in it."""
        return len(self._known)

    def _share(self, item: msgspec.Struct) -> None:
        known = self._known
        for field in item.__struct_fields__:
            value = getattr(item, field)
            # By type, because this is done for every object that ever comes: isinstance is slower.
            kind = type(value)
            if kind is str or kind is datetime:
                # Equal, so that nobody can tell: an immutable object stays what it was.
                if (same := known.setdefault(value, value)) is not value:
                    force_setattr(item, field, same)
            elif kind is dict:
                for key, text in value.items():
                    value[key] = known.setdefault(text, text)
            elif kind is list:
                for part in value:
                    if isinstance(part, msgspec.Struct):
                        self._share(part)
            elif isinstance(value, msgspec.Struct):
                self._share(value)
