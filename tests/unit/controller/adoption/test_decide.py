"""What an answer of a provider changes."""

import pytest

from controller.adoption.decide import decide
from controller.adoption.model import Action, Copy, Create, Found, Mark, Observed
from krkn_grpc.resources.adopted import adopted_uuid
from tests.unit.controller.adoption.answers import (
    GOOD,
    KUBECONFIG,
    NAME,
    a_target,
    adoption,
    seen,
)

BAD = Found(refusal="It is refused.")
NEW = a_target(adoption(1))
COPIED = a_target(adoption(1, 1))
GONE = a_target(adoption(2, 1, is_gone=True))


@pytest.mark.parametrize(
    ("looked", "actions"),
    [
        pytest.param(seen(1, {}), [], id="nothing"),
        pytest.param(
            seen(1, {NAME: GOOD}), [Create(NAME, KUBECONFIG, adoption(1))], id="a new cluster"
        ),
        pytest.param(seen(1, {NAME: BAD}), [], id="a new cluster that is refused"),
        pytest.param(
            seen(1, {NAME: Found(KUBECONFIG, same_as="x")}), [], id="one that is a target already"
        ),
        pytest.param(
            seen(1, {NAME: GOOD}, NEW),
            [Copy(NEW, NAME, KUBECONFIG, adoption(1))],
            id="a crash left it without its credential",
        ),
        pytest.param(seen(1, {NAME: GOOD}, COPIED), [], id="done"),
        pytest.param(
            seen(2, {NAME: GOOD}, COPIED),
            [Copy(COPIED, NAME, KUBECONFIG, adoption(2, 1))],
            id="a newer credential",
        ),
        pytest.param(seen(0, {NAME: GOOD}, COPIED), [], id="an older answer with it"),
        pytest.param(seen(0, {}, COPIED), [], id="an older answer without it"),
        pytest.param(
            seen(2, {NAME: BAD}, COPIED),
            [Mark(COPIED, adoption(2, 1))],
            id="known, without a usable credential",
        ),
        pytest.param(
            seen(2, {}, COPIED), [Mark(COPIED, adoption(2, 1, is_gone=True))], id="it is gone"
        ),
        pytest.param(seen(2, {}, GONE), [], id="it is known to be gone"),
        pytest.param(
            seen(3, {}, GONE), [Mark(GONE, adoption(3, 1, is_gone=True))], id="it is still gone"
        ),
        pytest.param(
            seen(3, {NAME: GOOD}, GONE), [Copy(GONE, NAME, KUBECONFIG, adoption(3, 1))], id="back"
        ),
        pytest.param(
            seen(3, {NAME: BAD}, GONE),
            [Mark(GONE, adoption(3, 1))],
            id="back, without a usable credential",
        ),
        pytest.param(
            seen(2, {NAME: GOOD}, a_target(None)),
            [Copy(a_target(None), NAME, KUBECONFIG, adoption(2))],
            id="someone took its note away",
        ),
        pytest.param(seen(2, {}, a_target(None)), [], id="gone, and without a note"),
        pytest.param(
            seen(2, {NAME: GOOD}, a_target(adoption(1, 1), label="")), [], id="not adopted"
        ),
        pytest.param(
            seen(2, {NAME: GOOD}, a_target(adoption(1, 1), label="other")), [], id="another's"
        ),
        pytest.param(
            seen(2, {NAME: GOOD}, a_target(adoption(1, 1), is_going=True)), [], id="being deleted"
        ),
        pytest.param(
            seen(2, {}, a_target(adoption(1, 1), is_going=True)), [], id="gone and being deleted"
        ),
    ],
)
def test_actions(looked: Observed, actions: list[Action]) -> None:
    assert list(decide(looked)) == actions


def test_each_cluster_is_decided_by_itself() -> None:
    looked = seen(2, {"new": GOOD, "bad": BAD, NAME: GOOD}, COPIED, a_target(adoption(1, 1), "old"))
    kinds = [type(action) for action in decide(looked)]
    assert kinds == [Create, Copy, Mark]


def test_no_two_clusters_are_one_target() -> None:
    pairs = [("a", "b"), ("a", '", "b'), ('a", "', "b"), ("ab", ""), ("", "ab"), ("b", "a")]
    assert len({adopted_uuid(*pair) for pair in pairs}) == len(pairs)


def test_a_targets_uuid_never_changes() -> None:
    assert adopted_uuid("krkn-operator-acm", "prod") == "30f8dd2c-7530-8650-b1cc-9ef43c580d2e"
