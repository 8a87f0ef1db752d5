"""What is kept of a log."""

from dataclasses import dataclass

from krkn_grpc.resources.reported_result import ReportedResult


@dataclass(frozen=True)
class LogDigest:
    """All that is kept of the log of a pod that has ended."""

    result: ReportedResult | None = None


NO_LOG = LogDigest()
"""Of a pod that has printed nothing, or whose log cannot be read."""
