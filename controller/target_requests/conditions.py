"""The conditions of a request, derived from what is there. Pure.

They are information only: another provider's write of the whole status may remove them.
"""

from controller.target_requests.model import Observed
from controller.target_requests.section import (
    Absent,
    Fitted,
    NotOurs,
    Present,
    Unreadable,
    fit,
    lacks_kubeconfigs,
)
from krkn_grpc.resources import bounds
from krkn_grpc.resources.meta import Condition, find_condition, with_condition
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target_request import (
    COMPLETED,
    CONTRIBUTED,
    PROVIDERS_MISSING,
    Section,
)

_PROVIDED = "The clusters of this service are in the request."
_NO_KUBECONFIGS = "The Secret has no room for the kubeconfigs of this service's clusters."
_NOT_OURS = "A Secret with the name of the request exists, and does not belong to it."
_UNREADABLE = "The request's Secret does not have the JSON that providers share."
_TOO_LARGE = "The request's Secret has no room for the clusters of this service."
_REFUSED = "The cluster refuses our part of the request or of its Secret; the log has the reason."
_INACTIVE = f"The provider {PROVIDER} is not active."


def conditions(
    seen: Observed, *, completes: bool = False, fitted: Fitted | None = None
) -> list[Condition]:
    """Return the conditions of the request.

    `completes`: as they are when it is completed now; `fitted`: when our key is written now, with
    this section in the Secret.
    """
    before = seen.request.status.conditions
    is_completed = seen.request.status.status == COMPLETED
    if is_completed and before:
        return before
    after = list(before)
    if (contributed := _contributed(seen, fitted)) is not None:
        after = with_condition(after, contributed)
    missing = ", ".join(sorted(seen.providers.active - seen.answered))
    if missing and (completes or is_completed):
        text = f"Active providers that have not answered: {missing}."
        after = with_condition(after, _condition(seen, PROVIDERS_MISSING, True, "NoAnswer", text))
    return after


def _contributed(seen: Observed, fitted: Fitted | None) -> Condition | None:
    match seen.secret:
        case NotOurs():
            return _condition(seen, CONTRIBUTED, False, "SecretNotOurs", _NOT_OURS)
        case Unreadable():
            return _condition(seen, CONTRIBUTED, False, "SecretUnreadable", _UNREADABLE)
    if seen.has_own_key or fitted is not None:
        return _provided(seen, fitted)
    if seen.request.status.status == COMPLETED:
        return None
    if PROVIDER not in seen.providers.active:
        return _condition(seen, CONTRIBUTED, False, "ProviderInactive", _INACTIVE)
    if seen.is_refused:
        return _condition(seen, CONTRIBUTED, False, "SecretRefused", _REFUSED)
    if _has_no_room(seen):
        return _condition(seen, CONTRIBUTED, False, "SecretTooLarge", _TOO_LARGE)
    return None


def _provided(seen: Observed, fitted: Fitted | None) -> Condition:
    known = find_condition(seen.request.status.conditions, CONTRIBUTED)
    if fitted is None and known is not None and known.status == "True":
        return known
    if seen.answer is not None and seen.answer.left_out:
        text = f"The request has no room for {seen.answer.left_out} clusters of this service."
        return _condition(seen, CONTRIBUTED, True, "ClustersLeftOut", text)
    own = fitted.section if fitted is not None else _own(seen)
    if lacks_kubeconfigs(own or {}):
        return _condition(seen, CONTRIBUTED, True, "KubeconfigsLeftOut", _NO_KUBECONFIGS)
    return _condition(seen, CONTRIBUTED, True, "Provided", _PROVIDED)


def _own(seen: Observed) -> Section | None:
    return seen.secret.own if isinstance(seen.secret, Present) else None


def _has_no_room(seen: Observed) -> bool:
    return (
        seen.answer is not None
        and isinstance(seen.secret, Absent | Present)
        and fit(seen.secret, seen.answer.section) is None
    )


def _condition(seen: Observed, kind: str, holds: bool, reason: str, message: str) -> Condition:
    return bounds.bounded(
        Condition(
            type=kind,
            status="True" if holds else "False",
            reason=reason,
            message=message,
            last_transition_time=seen.now,
            observed_generation=seen.request.metadata.generation,
        )
    )
