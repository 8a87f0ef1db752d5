"""How long a call may go on writing: no longer than its caller waits for the reply."""

from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.server.metadata import Context

# What is left of the caller's time is for the reply that says what is not known. Envoy grants the
# server a quarter more than it waits for the reply of a REST call, so this is 0.94 of its time.
_SHARE = 0.75


def deadline_of(context: Context, longest_seconds: float) -> Deadline:
    """Return the deadline for all writes of the call."""
    left = context.time_remaining()
    return Deadline.within(longest_seconds if left is None else min(longest_seconds, left * _SHARE))
