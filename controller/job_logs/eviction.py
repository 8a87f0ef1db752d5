"""Which kept logs have to go, so that all together take no more than they may. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime

from krkn_grpc.resources.kept_log import KeptLogHead

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def to_delete(kept: Iterable[KeptLogHead], limit: int, needed: int = 0) -> list[KeptLogHead]:
    """Return the oldest logs that have to go to leave `needed` of `limit` bytes free."""
    all_kept = list(kept)
    excess = sum(log.stored_bytes for log in all_kept) + needed - limit
    if excess <= 0:
        return []
    going: list[KeptLogHead] = []
    for log in sorted(all_kept, key=_age):
        if excess <= 0:
            break
        going.append(log)
        excess -= log.stored_bytes
    return going


def _age(log: KeptLogHead) -> tuple[datetime, int]:
    # Times are whole seconds; the version tells which of a second came first.
    version = log.metadata.resource_version
    return log.metadata.creation_timestamp or _LONG_AGO, int(version) if version else 0
