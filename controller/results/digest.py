"""Makes of a log what is kept of it."""

from controller.results.model import LogDigest
from controller.results.parse import parse
from krkn_grpc.kube.log_end import LogEnd


def digest(end: LogEnd) -> LogDigest:
    """Return what is kept of the end of a log; it may take some milliseconds."""
    return LogDigest(parse(end.content))
