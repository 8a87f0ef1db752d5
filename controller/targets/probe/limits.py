"""How much a look at one cluster may take of everyone's time and memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeLimits:
    """Bounds of one look; the total holds whatever else does."""

    total_seconds: float = 10.0
    resolve_seconds: float = 4.0
    connect_seconds: float = 3.0
    """For each address that is tried."""
    addresses: int = 4
    """Tried in turn; all that a name has are checked."""
    reply_bytes: int = 256 * 1024
    """Head and body together; one with a thousand groups of the user fits."""
    head_bytes: int = 16 * 1024
