"""What is kept of a log."""

from dataclasses import dataclass

from controller.job_logs import reasons
from controller.reason import Reason
from krkn_grpc.resources.reported_result import ReportedResult


@dataclass(frozen=True)
class LogDigest:
    """All that is kept of the log of a pod that has ended, and why the log itself was not."""

    result: ReportedResult | None = None
    why_not_kept: Reason | None = None


NO_LOG = LogDigest()
"""Of a pod that has printed nothing, or of any where no logs are kept."""

GONE = LogDigest(why_not_kept=reasons.POD_GONE)
ON_LOST_NODE = LogDigest(why_not_kept=reasons.NODE_LOST)
