"""Keeps one copy of a text that thousands of objects repeat: a target, image, reason or message.

Half of a cache's memory would be such copies.
"""

from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import force_setattr

S = TypeVar("S", bound=msgspec.Struct)

# Texts that occur only once are in here too; they must not stay for ever.
MOST = 20_000


class Interner:
    """The texts and times that were seen recently."""

    def __init__(self) -> None:
        """Start empty."""
        self._known: dict[str | datetime, str | datetime] = {}

    def share(self, item: S) -> S:
        """Replace the object's texts and times by equal known ones; return the object."""
        if len(self._known) > MOST:
            self._known.clear()
        self._share(item)
        return item

    def __len__(self) -> int:
        """Return the number of known texts and times."""
        return len(self._known)

    def _share(self, item: msgspec.Struct) -> None:
        known = self._known
        for field in item.__struct_fields__:
            value = getattr(item, field)
            # Compared by type, because this runs for every object and isinstance is slower.
            kind = type(value)
            if kind is str or kind is datetime:
                # The values are equal, so the immutable object does not visibly change.
                if (same := known.setdefault(value, value)) is not value:
                    force_setattr(item, field, same)
            elif kind is dict:
                for key, text in value.items():
                    if type(text) is str:
                        value[key] = known.setdefault(text, text)
            elif kind is list:
                for part in value:
                    if isinstance(part, msgspec.Struct):
                        self._share(part)
            elif isinstance(value, msgspec.Struct):
                self._share(value)
