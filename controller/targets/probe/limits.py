"""Limits on the time and memory of one probe."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProbeLimits:
    """Limits of one probe; the total time applies in any case."""

    total_seconds: float = 10.0
    resolve_seconds: float = 4.0
    version_seconds: float = 3.0
    """For the version alone, which nothing depends on: a ready target is not held up by it."""
    connect_seconds: float = 3.0
    """Per address that is tried."""
    addresses: int = 4
    """Addresses tried, one after the other; all addresses of a name are checked."""
    reply_bytes: int = 256 * 1024
    """Head and body together; a reply with a thousand groups of the user fits."""
    head_bytes: int = 16 * 1024
