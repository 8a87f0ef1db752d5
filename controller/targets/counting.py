"""Counts targets by readiness, and measures how long ago each was checked."""

import time
from collections.abc import Callable

from controller.targets.probe.result import ProbeReason
from krkn_grpc.kube.informer import CacheChange
from krkn_grpc.resources import target as targets
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import ADMITTED, READY, Target
from krkn_grpc.telemetry import metrics

NOT_CHECKED = "NotChecked"
"""The reason of a target that was not checked as it is now."""

REASONS = frozenset(
    {
        *(reason.value for reason in ProbeReason),
        *(NOT_CHECKED, "DuplicateName", "DuplicateAPIURL", targets.INVALID_KUBECONFIG),
        *(targets.OWN_CLUSTER, targets.IDENTITY_UNKNOWN, targets.PROVIDER_GONE),
    }
)
"""The reasons that this project gives for a target's readiness."""

_probes = {reason: metrics.PROBE_SECONDS.labels(reason.value) for reason in ProbeReason}


def probed(reason: ProbeReason, seconds: float) -> None:
    """Record one probe of a target cluster and how long it took."""
    _probes[reason].observe(seconds)


class TargetCounts:
    """The targets of the cache by readiness, and the times of their checks in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Count nothing yet; `clock` gives seconds."""
        self._clock = clock
        self._checked: dict[str, float] = {}
        metrics.PROBE_OLDEST.set_function(self.oldest_seconds)

    def changed(self, change: CacheChange[Target]) -> None:
        """Keep the counts current; to be called for each change of the cache."""
        if change.old is not None:
            metrics.TARGETS.labels(*_labels(change.old)).dec()
        if change.new is not None:
            metrics.TARGETS.labels(*_labels(change.new)).inc()
        if change.new is None or not _is_checked_again(change.new):
            self._checked.pop(change.object.metadata.name, None)

    def checked(self, uuid: str) -> None:
        """Record that a target was checked now."""
        self._checked[uuid] = self._clock()

    def stopped(self) -> None:
        """Forget all checks: this process does not lead any more, and makes none."""
        self._checked.clear()

    def oldest_seconds(self) -> float:
        """Return the age of the oldest of the targets' last checks; 0 when there is none."""
        now = self._clock()
        return now - min(self._checked.values(), default=now)


def _is_checked_again(target: Target) -> bool:
    """Whether another check of the target follows by itself, as `decide` has it."""
    ready, admitted = (find_condition(target.status.conditions, kind) for kind in (READY, ADMITTED))
    is_withheld = ready is not None and ready.reason == targets.PROVIDER_GONE
    is_refused = admitted is not None and admitted.status == "False"
    is_going = target.metadata.deletion_timestamp is not None
    return not is_withheld and not is_refused and not is_going


def _labels(target: Target) -> tuple[str, str]:
    condition = find_condition(target.status.conditions, READY)
    is_current = (
        condition is not None and condition.observed_generation == target.metadata.generation
    )
    if condition is None or not is_current:
        return "false", NOT_CHECKED
    reason = condition.reason if condition.reason in REASONS else metrics.OTHER
    return str(target.is_ready).lower(), reason
