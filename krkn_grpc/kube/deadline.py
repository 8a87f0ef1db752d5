"""One deadline for all the writes of a call."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock by which the whole call must end."""

    moment: float

    @classmethod
    def within(cls, seconds: float) -> "Deadline":
        """Return the deadline that is this many seconds away."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left; zero or less when it has passed."""
        return self.moment - time.monotonic()
