"""Says what one target needs now. Pure: the same input always gives the same answer.

written --- reservations ---> Admitted --- check ---> Ready | not ready --- check --- ...
|
+--- another one has the name or the URL ---> refused, tried again at intervals
+--- registered by the server, and never finished ---> removed
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from krkn_grpc.resources import labels
from krkn_grpc.resources.meta import find_condition
from krkn_grpc.resources.target import ADMITTED, READY, Target


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


def decide(target: Target, now: datetime, failures: int, limits: Limits) -> Step:
    """Return what the target needs; `failures` counts the checks that failed in a row."""
    if target.metadata.deletion_timestamp is not None:
        return Wait(None)
    admitted = find_condition(target.status.conditions, ADMITTED)
    if admitted is None and labels.REGISTERED_BY_SERVER in target.metadata.annotations:
        # The server that is registering it admits it; or it crashed, and nobody was told of it.
        abandoned = _created(target, now) + timedelta(seconds=limits.abandoned_seconds)
        return Remove() if now >= abandoned else Wait(_seconds(abandoned, now))
    if not target.is_admitted:
        return Admit()
    ready = find_condition(target.status.conditions, READY)
    if ready is None or ready.observed_generation != target.metadata.generation:
        return Check()
    due = (target.status.last_updated or now) + timedelta(
        seconds=pause_after(ready.status == "True", failures, limits)
    )
    return Check() if now >= due else Wait(_seconds(due, now))


def pause_after(is_ready: bool, failures: int, limits: Limits) -> float:
    """Return the seconds until the next check: a failing cluster is asked sooner, then seldom."""
    if is_ready:
        return limits.check_seconds
    return min(limits.first_retry_seconds * 2.0 ** min(failures, 20), limits.check_seconds)


def _created(target: Target, now: datetime) -> datetime:
    return target.metadata.creation_timestamp or now


def _seconds(moment: datetime, now: datetime) -> float:
    return max((moment - now).total_seconds(), 0.1)
