"""Whether a target may be run; the first reason against it is the one that is told."""

from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import ADMITTED, READY, Target
from krkn_grpc.server.errors import CallError
from krkn_grpc.server.runs.run import Run

# Not a passing state of the cluster: with these a job could never start.
_NEVER_RUN = {
    "InvalidKubeconfig": "the target's kubeconfig is refused: update the target",
    "AddressRefused": "the target's address is one that this service does not contact",
}


class NotRunnable(CallError):
    """The target exists and cannot be run."""


def check(target: Target, run: Run) -> None:
    """Raise NotRunnable, with a sentence, when the target may not be run like this."""
    if target.metadata.deletion_timestamp is not None:
        raise NotRunnable("the target is being deleted")
    conditions = target.status.conditions
    if not target.is_admitted:
        admitted = find_condition(conditions, ADMITTED)
        why = admitted.message if admitted is not None and target.was_refused else ""
        raise NotRunnable(why or "the target is not registered completely yet")
    ready = find_condition(conditions, READY)
    if ready is not None and ready.status != "True" and ready.reason in _NEVER_RUN:
        raise NotRunnable(_NEVER_RUN[ready.reason])
    if run.require_ready and not target.status.ready:
        raise NotRunnable("the target is not ready, and the request asks for requireReady")
