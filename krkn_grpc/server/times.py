"""Times in replies."""

from datetime import UTC, datetime


def rfc3339(moment: datetime | None) -> str | None:
    """Return the moment as an RFC 3339 string in UTC, or None when there is none."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
