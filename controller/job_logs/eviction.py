"""Which kept logs have to go, so that all together take no more than they may. Pure."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from krkn_grpc.resources.kept_log import KeptLogHead


def to_delete(
    oldest: Iterable[KeptLogHead], excess: int, most: int | None = None
) -> list[KeptLogHead]:
    """Return the logs that have to go to free `excess` bytes, `most` at most, the oldest first.

    `oldest` has all logs in the order of their times; only as many are looked at as are needed.
    """
    going: list[KeptLogHead] = []
    if excess <= 0:
        return going
    for log in _by_age(oldest):
        going.append(log)
        excess -= log.stored_bytes
        if excess <= 0 or len(going) == most:
            break
    return going


def _by_age(oldest: Iterable[KeptLogHead]) -> Iterator[KeptLogHead]:
    # Times are whole seconds; the version tells which of a second came first.
    for _, same in groupby(oldest, key=lambda log: log.metadata.creation_timestamp):
        yield from sorted(same, key=_version)


def _version(log: KeptLogHead) -> int:
    version = log.metadata.resource_version
    return int(version) if version else 0
