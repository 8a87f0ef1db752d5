"""Decides the next step for one request. Pure: the same input always gives the same answer.

"" -- Begin --> pending -- WriteSection, Contribute --> answered by us -- Complete --> Completed
                                                                                           |
                                                                     Remove, after its time

The Secret has our section before the request has our key, and the request has every required key
before it is Completed: a reader of one step can rely on those before it. Once our key is there, our
answer does not change; a section that another provider's write has removed is written again.
"""

from datetime import datetime, timedelta

from controller.target_requests.conditions import conditions
from controller.target_requests.model import (
    Begin,
    Complete,
    Contribute,
    Limits,
    Observed,
    Remove,
    SetConditions,
    Step,
    Wait,
    WriteSection,
)
from controller.target_requests.section import Absent, Fitted, NotOurs, Present, Unreadable, fit
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target_request import COMPLETED, TargetRequestSummary

# Nobody watches Secrets.
_BLOCKED_SECONDS = 2.0


def decide(seen: Observed, limits: Limits) -> Step:
    """Return the next step for the request."""
    request = seen.request
    if request.metadata.deletion_timestamp is not None:
        return Wait(None)
    waits = [_left(_end(request), limits.ttl_seconds, seen.now)]
    if waits[0] <= 0:
        return Remove()
    if request.status.status == "":
        return Begin()
    if (step := _own_step(seen)) is not None:
        return step
    if request.status.status != COMPLETED:
        until_deadline = left_for_answers(seen, limits)
        if until_deadline <= 0 or _is_complete(seen):
            return Complete(conditions(seen, completes=True))
        waits.append(until_deadline)
        if seen.providers.first_loss is not None:
            waits.append(seen.providers.first_loss)
        if _is_blocked(seen):
            waits.append(_BLOCKED_SECONDS)
    if (wanted := conditions(seen)) != request.status.conditions:
        return SetConditions(wanted)
    return Wait(min(waits))


def left_for_answers(seen: Observed, limits: Limits) -> float:
    """Return the seconds until the request is completed with the answers that are there."""
    return _left(_created(seen.request), limits.deadline_seconds, seen.now)


def _is_blocked(seen: Observed) -> bool:
    """Whether our answer waits for the Secret, which may go: that of a deleted request does."""
    is_wanted = PROVIDER in seen.providers.active and not seen.has_own_key
    return is_wanted and (seen.is_refused or isinstance(seen.secret, NotOurs | Unreadable))


def _own_step(seen: Observed) -> Step | None:
    """Return the next step of our own answer; None: none is left, or none is possible."""
    if seen.answer is None or seen.is_refused or not isinstance(seen.secret, Absent | Present):
        return None
    fitted = fit(seen.secret, seen.answer.section)
    if fitted is None:
        return None
    if not _is_written(seen, fitted):
        return WriteSection(seen.secret, fitted)
    if seen.has_own_key:
        return None
    return Contribute(seen.answer.clusters, conditions(seen, fitted=fitted))


def _is_written(seen: Observed, fitted: Fitted) -> bool:
    """Whether our section is in the Secret; until our key is there, with its current content."""
    own = seen.secret.own if isinstance(seen.secret, Present) else None
    return own is not None if seen.has_own_key else own == fitted.section


def _is_complete(seen: Observed) -> bool:
    """Whether every provider that is active and alive has answered, and there is at least one."""
    required = seen.providers.active & seen.providers.alive
    is_own_whole = not seen.has_own_key or (
        isinstance(seen.secret, Present) and seen.secret.own is not None
    )
    return bool(required) and required <= seen.answered and is_own_whole


def _created(request: TargetRequestSummary) -> datetime | None:
    return request.metadata.creation_timestamp


def _end(request: TargetRequestSummary) -> datetime | None:
    is_completed = request.status.status == COMPLETED
    return (request.status.completed if is_completed else None) or _created(request)


def _left(since: datetime | None, seconds: float, now: datetime) -> float:
    """Return the seconds that are left; all of them without a time."""
    if since is None:
        return seconds
    # The time may come from another provider, on a machine with another clock.
    return min(seconds, (since + timedelta(seconds=seconds) - now).total_seconds())
