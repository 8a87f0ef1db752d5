"""Makes of a log what is kept of it. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from controller.job_logs.compression import Compressed, compress
from controller.results.parse import parse
from krkn_grpc.kube.log_end import LogEnd
from krkn_grpc.resources.log_times import without_times
from krkn_grpc.resources.reported_result import ReportedResult

# Between two of them others of the process have their turn.
_PIECE = 64 * 1024


class Digested(NamedTuple):
    """What krkn says of its run, and the log to keep, if one is to be kept."""

    result: ReportedResult | None = None
    log: Compressed | None = None


def digest(end: LogEnd, keep_bytes: int, *, with_result: bool) -> Digested:
    """Return what is kept of the end of a log with times; it may take some 100 milliseconds.

    At most `keep_bytes` of the log are kept, compressed; 0: none. Without `with_result`, what krkn
    says in it is not looked for.
    """
    if end.trouble:
        return Digested()
    result = parse(b"".join(without_times(_pieces(end.content)))) if with_result else None
    if not keep_bytes:
        return Digested(result)
    return Digested(result, compress(end.content, keep_bytes, truncated=not end.is_whole))


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]
