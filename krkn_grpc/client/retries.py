"""Decides whether and when a failed call is sent again, and a cut stream opened again.

A call is retried only where that is safe: the service says that it did nothing (RetryInfo), or the
call is idempotent. What is not known to be safe is the caller's to decide.
"""

import asyncio
import random
import time
from dataclasses import dataclass

from krkn_grpc.client.errors import (
    Conflict,
    Denied,
    KrknError,
    LimitReached,
    ServiceError,
    TooOld,
    Unauthenticated,
    Unavailable,
)

_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 5.0
# A refusal so soon after another one is no token that has expired.
_REFUSED_AGAIN_SECONDS = 10.0
# A stream that the service accepted so long before it was cut is the end of an outage.
_STOOD_SECONDS = 1.0
# After these a new stream of the same kind may succeed; after others it will not.
_MAY_GO_ON = (Unavailable, ServiceError, Conflict, LimitReached, TooOld)


@dataclass
class Patience:
    """For how long calls are retried, in seconds; 0: not at all.

    A subclass overrides `pause`, and `answered` if it counts answers.
    """

    seconds: float = 60.0

    def pause(self, error: KrknError, *, attempt: int, waited: float) -> float | None:
        """Return the seconds to wait before the next attempt, None to give up.

        `attempt` counts from 1; `waited` is the time since the first one, in seconds.
        """
        backoff: float = min(_FIRST_SECONDS * 2 ** min(attempt - 1, 10), _LONGEST_SECONDS)
        # Spread, so that the clients of a service that was away do not come all at once.
        pause = max(backoff * random.uniform(0.5, 1.0), error.retry_after or 0.0)
        return pause if waited + pause <= self.seconds else None

    def answered(self) -> None:
        """Note that the service has answered a call."""


def may_retry(error: KrknError, *, is_repeatable: bool) -> bool:
    """Whether the call may be sent again without doing anything twice."""
    if error.retry_after is not None:
        return isinstance(error, Unavailable | LimitReached)
    return is_repeatable and isinstance(error, Unavailable)


class Resumption:
    """Counts the attempts of an outage, and waits before the next.

    An outage begins with a cut, however long the stream was quiet before it: a scenario that runs
    for hours says nothing meanwhile.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._believes_refusals_until = 0.0
        self._since = 0.0
        self.progressed()

    def progressed(self) -> None:
        """Note that a message came: the next cut is another outage."""
        self._cuts = 0

    async def wait(self, error: KrknError) -> None:
        """Wait before the stream is opened again; raises the error where that is of no use."""
        now = time.monotonic()
        if self._cuts == 0 or error.stood_seconds >= _STOOD_SECONDS:
            self._cuts, self._since = 0, now
        self._cuts += 1
        if isinstance(error, Unauthenticated | Denied) and now >= self._believes_refusals_until:
            # The token may have expired: the next attempt sends a new one. If the caller has lost
            # the right, that attempt is refused, too.
            self._believes_refusals_until = now + _REFUSED_AGAIN_SECONDS
            return
        if not isinstance(error, _MAY_GO_ON):
            raise error
        waited = now - self._since
        pause = self._patience.pause(error, attempt=self._cuts, waited=waited)
        if pause is None:
            raise error
        await asyncio.sleep(pause)
