"""Decides the next step for one target. Pure: the same input always gives the same answer.

written --- reservations ---> Admitted --- check ---> Ready | not ready --- check --- ...
|
+--- another one has the name or the URL ---> refused, tried again at intervals
+--- a server began to register it, and never finished ---> removed

An adopted target is admitted when it has its credential, and withheld while its provider does not
know its cluster.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from krkn_grpc.reservations.in_progress import is_under_way
from krkn_grpc.resources import adopted, well_known
from krkn_grpc.resources.meta import Condition, find_condition
from krkn_grpc.resources.target import PROVIDER_GONE, READY, Target

_CLOCK_DIFFERENCE = timedelta(seconds=5)


@dataclass(frozen=True)
class Limits:
    """Intervals of checks and retries, and the age at which a registration counts as abandoned.

    `abandoned_seconds` is longer than any registration may take.
    """

    probe_interval_seconds: float = 300.0
    first_retry_seconds: float = 5.0
    duplicate_retry_seconds: float = 15.0
    abandoned_seconds: float = 40.0
    adopt_providers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Past:
    """The history of a target since its last change."""

    known_seconds: float = 0.0
    failures: int = 0
    """Consecutive failed checks."""
    refused_seconds: float | None = None
    """Seconds since its name or URL was found to be another target's; None when it was not."""
    answered: str = ""
    """The last request for a check that a check has answered."""


@dataclass(frozen=True)
class Admit:
    """Try to reserve the name and the URL for the target, and write whether it holds them."""


@dataclass(frozen=True)
class Remove:
    """Delete a registration that its server did not finish."""


@dataclass(frozen=True)
class Check:
    """Check whether the cluster can be used with the target's credential."""


@dataclass(frozen=True)
class Withhold:
    """Write that no run may start on the adopted target, and why."""

    message: str


@dataclass(frozen=True)
class Wait:
    """Nothing to do now; reconcile again after these seconds, or at the next change when None."""

    seconds: float | None


Step = Admit | Remove | Check | Withhold | Wait


def decide(target: Target, past: Past, now: datetime, limits: Limits) -> Step:
    """Return the next step for the target."""
    if target.metadata.deletion_timestamp is not None:
        return Wait(None)
    if is_under_way(target):
        # The server that registers it admits it, unless it crashed before it answered its caller.
        left = limits.abandoned_seconds - past.known_seconds
        return Remove() if left <= 0 else Wait(left)
    if not adopted.is_copied(target):
        return Wait(None)
    if not target.is_admitted:
        if past.refused_seconds is None:
            return Admit()
        left = limits.duplicate_retry_seconds - past.refused_seconds
        return Admit() if left <= 0 else Wait(left)
    ready = find_condition(target.status.conditions, READY)
    checked = target.status.last_updated
    is_current = ready is not None and ready.observed_generation == target.metadata.generation
    if (gone := adopted.withheld(target, limits.adopt_providers)) is not None:
        is_told = ready is not None and is_current and _says(ready, gone)
        return Wait(None) if is_told else Withhold(gone)
    if ready is None or checked is None or not is_current or ready.reason == PROVIDER_GONE:
        return Check()
    if (due := adopted.probe_is_due_at(target)) is not None:
        left = (due - now).total_seconds()
        return Check() if left <= 0 else Wait(left)
    if _is_check_requested(target, checked, past.answered):
        return Check()
    pause = pause_after(ready.status == "True", past.failures, limits)
    # That time may come from a machine with another clock.
    left = min((checked + timedelta(seconds=pause) - now).total_seconds(), pause)
    return Check() if left <= 0 else Wait(left)


def _is_check_requested(target: Target, checked: datetime, answered: str) -> bool:
    """Whether a request for a check came after the last check.

    Each request leads to one check at most, whatever time it names. Without a memory of it, such as
    in a new leader, its time decides; that comes from another machine, and times of checks are
    whole seconds.
    """
    requested = target.metadata.annotations.get(well_known.CHECK_REQUESTED, "")
    if requested in ("", answered):
        return False
    try:
        return datetime.fromisoformat(requested) >= checked - _CLOCK_DIFFERENCE
    except (ValueError, TypeError):  # not one of ours
        return False


def _says(ready: Condition, gone: str) -> bool:
    return (ready.status, ready.reason, ready.message) == ("False", PROVIDER_GONE, gone)


def pause_after(is_ready: bool, failures: int, limits: Limits) -> float:
    """Return the seconds until the next check: soon after a failure, then with back-off."""
    if is_ready:
        return limits.probe_interval_seconds
    doublings = min(max(failures - 1, 0), 20)
    return min(limits.first_retry_seconds * 2.0**doublings, limits.probe_interval_seconds)
