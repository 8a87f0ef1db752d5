"""How many calls are open at the same time: one caller's never leave none for others."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from krkn_grpc.server.auth.rules import Pool
from krkn_grpc.server.errors import TooMany


class Places:
    """Counts the open calls of each pool, and of each caller in it."""

    def __init__(self) -> None:
        """Start with all places free."""
        self._taken: Counter[str] = Counter()
        self._taken_by: Counter[tuple[str, str]] = Counter()

    @contextlib.contextmanager
    def take(self, pool: Pool, caller: str) -> Iterator[None]:
        """Hold a place of the pool, half of which are for one caller; raises TooMany.

        Callers without a name are nobody in particular and may take all.
        """
        of_caller = (pool.name, caller)
        if self._taken[pool.name] >= pool.places:
            raise TooMany("too many calls are under way: try again later")
        if caller and self._taken_by[of_caller] >= pool.places // 2:
            raise TooMany("too many calls of yours are under way")
        self._taken[pool.name] += 1
        self._taken_by[of_caller] += 1
        try:
            yield
        finally:
            self._taken[pool.name] -= 1
            self._taken_by[of_caller] -= 1
            if not self._taken_by[of_caller]:
                del self._taken_by[of_caller]
