"""Checks whether a target can be run; the error has the first reason against it."""

from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import (
    ADDRESS_REFUSED,
    ADMITTED,
    IDENTITY_UNKNOWN,
    INVALID_KUBECONFIG,
    OWN_CLUSTER,
    PROVIDER_GONE,
    Target,
)
from krkn_grpc.server.errors import CallError
from krkn_grpc.server.runs.model import Run

_UNFIT = {
    INVALID_KUBECONFIG: "the target's kubeconfig is refused: update the target",
    ADDRESS_REFUSED: "the target's address is one that this service does not contact",
    OWN_CLUSTER: "the target is the cluster that this service runs in",
    IDENTITY_UNKNOWN: "the target may be the cluster that this service runs in: its credential"
    " must be allowed to get the namespace kube-system",
    PROVIDER_GONE: "the target's provider does not know the cluster any more",
}


class NotRunnable(CallError):
    """The target exists but cannot be run."""


def check(target: Target, run: Run) -> None:
    """Raise NotRunnable, with the reason, when the run cannot start on the target."""
    if target.metadata.deletion_timestamp is not None:
        raise NotRunnable("the target is being deleted")
    if not target.is_admitted:
        admitted = find_condition(target.status.conditions, ADMITTED)
        why = admitted.message if admitted is not None and target.was_refused else ""
        raise NotRunnable(why or "the target is not registered completely yet")
    if (unfit := target.unfit) is not None:
        raise NotRunnable(_UNFIT[unfit.reason])
    if run.require_ready and not target.status.ready:
        raise NotRunnable("the target is not ready, and the request asks for requireReady")
