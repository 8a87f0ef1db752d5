"""Says what one target needs now. Pure: the same input always gives the same answer.

written --- reservations ---> Admitted --- check ---> Ready | not ready --- check --- ...
|
+--- another one has the name or the URL ---> refused, tried again at intervals
+--- a server began to register it, and never finished ---> removed
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from krkn_grpc.admission.under_way import is_under_way
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import READY, Target


@dataclass(frozen=True)
class Limits:
    """How often a cluster is checked, and when a registration counts as left behind by a crash.

    `abandoned_seconds` is longer than any registration may take.
    """

    check_seconds: float = 300.0
    first_retry_seconds: float = 5.0
    duplicate_retry_seconds: float = 15.0
    abandoned_seconds: float = 40.0


@dataclass(frozen=True)
class Past:
    """What is remembered of a target since it was changed last."""

    known_seconds: float = 0.0
    failures: int = 0
    """Checks that failed in a row."""
    refused_seconds: float | None = None
    """Since its name or URL was found to be another's; None when it was not."""


@dataclass(frozen=True)
class Admit:
    """Try to reserve the name and the URL for the target, and write whether it holds them."""


@dataclass(frozen=True)
class Remove:
    """Delete a registration that its server did not finish."""


@dataclass(frozen=True)
class Check:
    """Look whether the cluster can be used with the target's credential."""


@dataclass(frozen=True)
class Wait:
    """Nothing now; look again after so many seconds, or at the next change when None."""

    seconds: float | None


Step = Admit | Remove | Check | Wait


def decide(target: Target, past: Past, now: datetime, limits: Limits) -> Step:
    """Return what the target needs."""
    if target.metadata.deletion_timestamp is not None:
        return Wait(None)
    if is_under_way(target):
        # The server that is registering it admits it; or it crashed, and nobody was told of it.
        left = limits.abandoned_seconds - past.known_seconds
        return Remove() if left <= 0 else Wait(left)
    if not target.is_admitted:
        if past.refused_seconds is None:
            return Admit()
        left = limits.duplicate_retry_seconds - past.refused_seconds
        return Admit() if left <= 0 else Wait(left)
    ready = find_condition(target.status.conditions, READY)
    checked = target.status.last_updated
    is_current = ready is not None and ready.observed_generation == target.metadata.generation
    if ready is None or checked is None or not is_current:
        return Check()
    pause = pause_after(ready.status == "True", past.failures, limits)
    # Whoever wrote that time may have had another clock.
    left = min((checked + timedelta(seconds=pause) - now).total_seconds(), pause)
    return Check() if left <= 0 else Wait(left)


def pause_after(is_ready: bool, failures: int, limits: Limits) -> float:
    """Return the seconds until the next check: a failing cluster is asked sooner, then seldom."""
    if is_ready:
        return limits.check_seconds
    doublings = min(max(failures - 1, 0), 20)
    return min(limits.first_retry_seconds * 2.0**doublings, limits.check_seconds)
