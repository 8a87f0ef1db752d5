"""How many streams may be open: one caller's are never so many that others get none."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from krkn_grpc.server.errors import TooMany


class Places:
    """Counts the open streams of each method, and of each caller of it."""

    def __init__(self) -> None:
        """Start with all places free."""
        self._taken: Counter[str] = Counter()
        self._taken_by: Counter[tuple[str, str]] = Counter()

    @contextlib.contextmanager
    def take(self, method: str, caller: str, most: int) -> Iterator[None]:
        """Hold one of `most` places, half of which are for one caller; raises TooMany.

        Callers without a name are nobody in particular and may take all.
        """
        if self._taken[method] >= most:
            raise TooMany("too many such streams are open: try again later")
        if caller and self._taken_by[method, caller] >= most // 2:
            raise TooMany("you have too many such streams open")
        self._taken[method] += 1
        self._taken_by[method, caller] += 1
        try:
            yield
        finally:
            self._taken[method] -= 1
            self._taken_by[method, caller] -= 1
            if not self._taken_by[method, caller]:
                del self._taken_by[method, caller]
