"""What one target request needs now."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest

from controller.target_requests.conditions import conditions
from controller.target_requests.decide import decide
from controller.target_requests.model import (
    Begin,
    Complete,
    Contribute,
    Limits,
    Observed,
    Remove,
    SetConditions,
    Wait,
    WriteSection,
)
from controller.target_requests.section import (
    MOST_BYTES,
    Absent,
    NotOurs,
    Present,
    Unreadable,
    without_kubeconfigs,
)
from krkn_grpc.resources.meta import Condition, find_condition
from krkn_grpc.resources.names import PROVIDER
from krkn_grpc.resources.target_request import CONTRIBUTED, PROVIDERS_MISSING
from tests.unit.controller.target_requests.requests import (
    ANSWER,
    CREATED,
    NOTHING,
    OTHER,
    SECTION,
    a_request,
    a_secret,
    seen,
)

LIMITS = Limits(deadline_seconds=50, ttl_seconds=3600)
BOTH = (PROVIDER, OTHER)
OURS = a_secret(own=SECTION)


def told(found: Sequence[Condition]) -> set[tuple[str, str, str]]:
    """What matters of the conditions."""
    return {(each.type, each.status, each.reason) for each in found}


def settled(found: Observed) -> Observed:
    """The same, with the conditions that it should have."""
    status = msgspec.structs.replace(found.request.status, conditions=conditions(found))
    return replace(found, request=msgspec.structs.replace(found.request, status=status))


def test_a_new_request_is_begun() -> None:
    assert decide(seen(a_request("")), LIMITS) == Begin()


def test_one_that_is_being_deleted_is_left_alone() -> None:
    assert decide(seen(a_request("", is_deleted=True)), LIMITS) == Wait(None)


def test_the_section_is_written_first() -> None:
    step = decide(seen(a_request(), answer=ANSWER), LIMITS)
    assert isinstance(step, WriteSection)
    assert step.secret == Absent()
    assert step.fitted.section == SECTION


@pytest.mark.parametrize(
    "stored", [{"other": 1}, {"own": {}}, {"own": without_kubeconfigs(SECTION)}, {"own": 5}]
)
def test_a_section_that_differs_is_written_again_until_our_key_is_there(
    stored: dict[str, object],
) -> None:
    step = decide(seen(a_request(), secret=a_secret(**stored), answer=ANSWER), LIMITS)
    assert isinstance(step, WriteSection)
    assert isinstance(step.secret, Present)


def test_our_key_follows_the_section() -> None:
    step = decide(seen(a_request(), secret=OURS, answer=ANSWER), LIMITS)
    assert isinstance(step, Contribute)
    assert step.clusters == ANSWER.clusters
    assert told(step.conditions) == {(CONTRIBUTED, "True", "Provided")}


def test_no_cluster_is_an_answer_too() -> None:
    step = decide(seen(a_request(), secret=a_secret(own={}), answer=NOTHING), LIMITS)
    assert isinstance(step, Contribute)
    assert list(step.clusters) == []


def test_it_is_complete_when_every_active_provider_has_answered() -> None:
    step = decide(seen(a_request("pending", *BOTH), active=BOTH, secret=OURS), LIMITS)
    assert isinstance(step, Complete)
    assert told(step.conditions) == {(CONTRIBUTED, "True", "Provided")}


def test_one_that_is_not_active_does_not_stand_in_for_one_that_is() -> None:
    """Two of two have answered, by number; by name one is missing."""
    answered = a_request("pending", PROVIDER, "gone")
    found = decide(settled(seen(answered, active=BOTH, secret=OURS, first_loss=9)), LIMITS)
    assert found == Wait(9)


def test_a_provider_that_is_lost_is_not_waited_for() -> None:
    answered = a_request("pending", PROVIDER)
    step = decide(seen(answered, active=BOTH, alive=(PROVIDER,), secret=OURS), LIMITS)
    assert isinstance(step, Complete)
    assert (PROVIDERS_MISSING, "True", "NoAnswer") in told(step.conditions)


def test_at_least_one_provider_is_needed() -> None:
    found = settled(seen(a_request("pending", OTHER), active=()))
    assert decide(found, LIMITS) == Wait(49)


def test_our_key_without_our_section_completes_nothing() -> None:
    answered = a_request("pending", *BOTH)
    step = decide(seen(answered, active=BOTH, secret=a_secret(other={}), answer=ANSWER), LIMITS)
    assert isinstance(step, WriteSection)
    assert step.fitted.section == SECTION


def test_the_deadline_completes_it_without_the_rest() -> None:
    answered = a_request("pending", PROVIDER)
    step = decide(seen(answered, after=50, active=BOTH, secret=OURS), LIMITS)
    assert isinstance(step, Complete)
    missing = find_condition(step.conditions, PROVIDERS_MISSING)
    assert missing is not None
    assert missing.message.endswith(f": {OTHER}.")


def test_an_answer_comes_before_a_deadline_that_has_passed() -> None:
    found = seen(a_request("pending", OTHER), after=70, active=BOTH, secret=OURS, answer=ANSWER)
    assert isinstance(decide(found, LIMITS), Contribute)


def test_an_answer_that_is_refused_is_told_and_tried_again() -> None:
    found = replace(seen(a_request(), secret=Absent(), answer=ANSWER), is_refused=True)
    step = decide(found, LIMITS)
    assert isinstance(step, SetConditions)
    assert told(step.conditions) == {(CONTRIBUTED, "False", "SecretRefused")}
    assert decide(settled(found), LIMITS) == Wait(2)
    late = seen(a_request(), after=50, secret=Absent(), answer=ANSWER)
    assert isinstance(decide(late, LIMITS), WriteSection)
    assert isinstance(decide(replace(late, is_refused=True), LIMITS), Complete)


@pytest.mark.parametrize(
    ("secret", "reason"), [(NotOurs(), "SecretNotOurs"), (Unreadable(), "SecretUnreadable")]
)
def test_a_secret_that_cannot_be_trusted_is_left_alone(
    secret: NotOurs | Unreadable, reason: str
) -> None:
    found = seen(a_request(), secret=secret, answer=ANSWER)
    step = decide(found, LIMITS)
    assert isinstance(step, SetConditions)
    assert told(step.conditions) == {(CONTRIBUTED, "False", reason)}
    # It may be that of a deleted request, and nobody watches Secrets.
    assert decide(settled(found), LIMITS) == Wait(2)
    late = decide(seen(a_request(), after=50, secret=secret, answer=ANSWER), LIMITS)
    assert isinstance(late, Complete)
    assert (PROVIDERS_MISSING, "True", "NoAnswer") in told(late.conditions)


def test_where_our_provider_is_not_active_nothing_is_answered() -> None:
    found = seen(a_request("pending", OTHER), active=(OTHER,))
    assert isinstance(decide(found, LIMITS), Complete)
    step = decide(seen(a_request(), active=(OTHER,)), LIMITS)
    assert isinstance(step, SetConditions)
    assert told(step.conditions) == {(CONTRIBUTED, "False", "ProviderInactive")}


def test_without_room_the_kubeconfigs_are_left_out() -> None:
    large = msgspec.structs.replace(SECTION["one"], kubeconfig="x" * MOST_BYTES)
    answer = replace(ANSWER, section={"one": large})
    step = decide(seen(a_request(), secret=a_secret(other={}), answer=answer), LIMITS)
    assert isinstance(step, WriteSection)
    assert step.fitted.section == without_kubeconfigs(SECTION)
    written = a_secret(other={}, own=step.fitted.section)
    step = decide(seen(a_request(), secret=written, answer=answer), LIMITS)
    assert isinstance(step, Contribute)
    assert told(step.conditions) == {(CONTRIBUTED, "True", "KubeconfigsLeftOut")}


def test_without_any_room_nothing_is_written() -> None:
    full = a_secret(other={"x": "x" * MOST_BYTES})
    step = decide(seen(a_request(), secret=full, answer=ANSWER), LIMITS)
    assert isinstance(step, SetConditions)
    assert told(step.conditions) == {(CONTRIBUTED, "False", "SecretTooLarge")}


def test_a_completed_one_is_not_answered_any_more() -> None:
    found = seen(a_request("Completed", OTHER, completed_after=5), active=(OTHER,))
    assert decide(found, LIMITS) == Wait(3600)


def test_a_section_that_was_lost_is_written_again_after_the_completion() -> None:
    completed = a_request("Completed", *BOTH, completed_after=5)
    lost = seen(completed, active=BOTH, secret=a_secret(other={}), answer=ANSWER)
    assert isinstance(decide(lost, LIMITS), WriteSection)


def test_conditions_that_another_provider_has_removed_come_back() -> None:
    completed = a_request("Completed", PROVIDER, completed_after=5)
    step = decide(seen(completed, active=BOTH, secret=OURS), LIMITS)
    assert isinstance(step, SetConditions)
    assert told(step.conditions) == {
        (CONTRIBUTED, "True", "Provided"),
        (PROVIDERS_MISSING, "True", "NoAnswer"),
    }


def test_those_of_a_completed_one_do_not_change_with_its_providers() -> None:
    completed = settled(
        seen(a_request("Completed", PROVIDER, completed_after=5), active=BOTH, secret=OURS)
    )
    alone = seen(completed.request, active=(PROVIDER,), secret=OURS)
    assert decide(alone, LIMITS) == Wait(3600)


@pytest.mark.parametrize(
    ("request_seen", "is_removed"),
    [
        (seen(a_request("pending", OTHER), after=3600), True),
        (seen(a_request("", OTHER), after=3600), True),
        (seen(a_request("Completed", OTHER, completed_after=600), after=4199), False),
        (seen(a_request("Completed", OTHER, completed_after=600), after=4200), True),
        (seen(a_request("Completed", OTHER), after=3600), True),
    ],
)
def test_it_is_removed_after_its_time(request_seen: Observed, is_removed: bool) -> None:
    assert (decide(request_seen, LIMITS) == Remove()) == is_removed


def test_a_completion_in_the_future_of_our_clock_keeps_nothing_longer() -> None:
    found = settled(seen(a_request("Completed", OTHER, completed_after=10_000), active=(OTHER,)))
    assert found.now.year == CREATED.year
    assert decide(found, LIMITS) == Wait(3600)
