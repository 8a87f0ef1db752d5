"""How long a call may go on writing: no longer than its caller waits for the reply."""

from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.server.metadata import Context

# What is left of the caller's time is for the reply that says what is not known.
_SHARE = 0.9


def deadline_of(context: Context, longest_seconds: float) -> Deadline:
    """Return the deadline for all writes of the call."""
    left = context.time_remaining()
    return Deadline.within(longest_seconds if left is None else min(longest_seconds, left * _SHARE))
