"""A job on an adopted target: it starts with a fresh credential, on a cluster that is proven."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from controller.jobs.decide import decide
from controller.jobs.model import CreatePod, Observed, RequestCredential, SetStatus
from krkn_grpc.resources.adopted import Adoption, Source, provider_label
from krkn_grpc.resources.target import Target
from tests.unit.controller.jobs.builders import (
    A_POD,
    NOW,
    a_credential,
    a_job,
    a_target,
    ago,
    looked_at,
    seen,
    with_target_metadata,
)


def adopted(target: Target | None = None, *, age: float = 5, **changes: Any) -> Target:
    source = Source(requested=ago(age), request_uid="uid")
    given: dict[str, Any] = {"provider": "acm", "source": source, "credential": source} | changes
    adoption = Adoption(**given)
    return with_target_metadata(
        target or a_target(), labels=provider_label("acm"), annotations=adoption.annotation
    )


def looked(target: Target, **changes: Any) -> Observed:
    given: dict[str, Any] = {"job": a_job(), "credential": a_credential()} | changes
    observed = seen(target=target, **given)
    limits = replace(observed.limits, adopt_providers=("acm",), adopted_seconds=600)
    return replace(observed, limits=limits)


def reason(observed: Observed) -> str:
    """The reason of the status that is written."""
    [status] = [each.status for each in decide(observed).actions if isinstance(each, SetStatus)]
    return status.reason


def test_it_starts() -> None:
    assert [type(each) for each in decide(looked(adopted())).actions] == [CreatePod]
    assert [type(each) for each in decide(looked(adopted(age=600))).actions] == [CreatePod]


@pytest.mark.parametrize(
    "target", [adopted(age=601), adopted(credential=None)], ids=["too old", "none yet"]
)
def test_a_newer_credential_is_asked_for_first(target: Target) -> None:
    decision = decide(looked(target))
    # The status comes first: it is the cause if the provider cannot be asked.
    assert [type(each) for each in decision.actions] == [SetStatus, RequestCredential]
    assert decision.actions[1] == RequestCredential("acm")
    assert reason(looked(target)) == "RefreshingCredential"
    assert decision.again_in == 2


def test_the_start_deadline_names_the_cause() -> None:
    waiting = decide(looked(adopted(age=999))).actions[0]
    assert isinstance(waiting, SetStatus)
    job = msgspec.structs.replace(a_job(age=300), status=waiting.status)
    assert reason(looked(adopted(age=999), job=job)) == "RefreshingCredential"


def test_nothing_starts_on_one_whose_note_is_gone() -> None:
    target = with_target_metadata(adopted(), annotations={})
    assert reason(looked(target)) == "ProviderGone"


def test_others_have_no_age() -> None:
    assert [type(each) for each in decide(looked(a_target())).actions] == [CreatePod]


@pytest.mark.parametrize(
    ("status", "told"),
    [("Unreachable", "Unreachable"), ("IdentityUnknown", "IdentityUnknown")],
)
def test_it_waits_until_the_target_is_ready(status: str, told: str) -> None:
    assert reason(looked(adopted(looked_at(a_target(), "False", status)))) == told
    # A run on another target may start all the same.
    other = looked(looked_at(a_target(), "False", "Unreachable"))
    assert [type(each) for each in decide(other).actions] == [CreatePod]


def test_it_waits_until_the_present_credential_is_probed() -> None:
    target = adopted(probe_from=NOW + timedelta(seconds=1))
    assert reason(looked(target)) == "TargetNotChecked"


@pytest.mark.parametrize(
    ("target", "told"),
    [
        pytest.param(adopted(is_gone=True), "ProviderGone", id="gone"),
        pytest.param(adopted(provider="other"), "ProviderGone", id="not adopted any more"),
        pytest.param(
            adopted(looked_at(a_target(), "False", "OwnCluster")), "OwnCluster", id="our own"
        ),
    ],
)
def test_it_never_starts(target: Target, told: str) -> None:
    assert reason(looked(target)) == told
    # Not even when it has its pod already.
    assert reason(looked(target, pod=A_POD)) == told
