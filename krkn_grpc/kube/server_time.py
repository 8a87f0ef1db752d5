"""The API server's time of day, derived from the `Date` of its answers.

Its timestamps (creation, deletion) are compared with this time, and not with our machine's. Those
of nodes are compared with neither. Differing clocks are logged, because people compare timestamps.
"""

import math
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import structlog

_TOLD_SECONDS = 2.0
_SILENCE_SECONDS = 600.0
_log = structlog.get_logger(__name__)


class ServerTime:
    """Our time of day, corrected by its certain difference from the API server's.

    An answer was written after its request was sent and before it was received, and its date is in
    whole seconds. So each answer bounds the difference from both sides, and all of them together
    bound it closely. As long as the clocks may be the same, nothing is corrected. A difference of
    more than 2 s is logged, once per ten minutes.
    """

    def __init__(self) -> None:
        """Start without a correction: the time is our own."""
        self._least = -math.inf
        self._most = math.inf
        self._quiet_until = -math.inf

    def look(self, date: str | None, sent_at: float, received_at: float) -> None:
        """Update the bounds from one answer; both times are `time.time()`."""
        try:
            written_at = parsedate_to_datetime(date or "").timestamp()
        except ValueError:
            return
        least, most = written_at - received_at, written_at + 1 - sent_at
        if least > self._most or most < self._least:
            # One of the clocks was set, or another API server answers: the old bounds are void.
            self._least, self._most = least, most
        else:
            self._least, self._most = max(least, self._least), min(most, self._most)
        if abs(self.ahead_seconds) > _TOLD_SECONDS and time.monotonic() >= self._quiet_until:
            self._quiet_until = time.monotonic() + _SILENCE_SECONDS
            ahead = round(-self.ahead_seconds, 1)
            _log.warning("clock differs from the API server's", ahead_seconds=ahead)

    @property
    def ahead_seconds(self) -> float:
        """Seconds that the API server's clock is certainly ahead of ours, negative when behind."""
        return min(max(0.0, self._least), self._most)

    def now(self) -> datetime:
        """Return the API server's time of day."""
        return datetime.fromtimestamp(time.time() + self.ahead_seconds, UTC)
