"""What an adopted target needs now: not what another one would."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest

from controller.targets.decide import Admit, Check, Limits, Past, Step, Wait, Withhold, decide
from krkn_grpc.resources.adopted import Adoption, Source, adopted_uuid, provider_label
from krkn_grpc.resources.target import PROVIDER_GONE, READY, TargetStatus
from tests.unit.controller.targets.builders import NOW, ATarget

LIMITS = Limits(probe_interval_seconds=300, adopt_providers=("acm",))
SOURCE = Source(requested=NOW, request_uid="uid")
NOT_KNOWN = "The target's provider does not know the cluster any more."
NOT_ADOPTED = "Clusters of the target's provider are not adopted any more."


def adopted(
    *,
    provider: str = "acm",
    has_credential: bool = True,
    is_gone: bool = False,
    probe_from: datetime | None = None,
) -> ATarget:
    """A target that was adopted so."""
    adoption = Adoption(
        provider=provider,
        source=SOURCE,
        credential=SOURCE if has_credential else None,
        probe_from=probe_from,
        is_gone=is_gone,
    )
    return ATarget().with_metadata(labels=provider_label(provider), annotations=adoption.annotation)


def told(target: ATarget, message: str) -> ATarget:
    """It is known not to be ready for this reason."""
    gone = target.with_condition(READY, "False", PROVIDER_GONE)
    *others, ready = gone.status.conditions
    conditions = [*others, msgspec.structs.replace(ready, message=message)]
    status = TargetStatus(last_updated=NOW, conditions=conditions)
    return replace(gone, status=status)


LATER = NOW + timedelta(seconds=1)
EARLIER = NOW - timedelta(seconds=10)


@pytest.mark.parametrize(
    ("target", "step"),
    [
        pytest.param(adopted(has_credential=False), Wait(None), id="it has no credential yet"),
        pytest.param(adopted(), Admit(), id="it has its credential"),
        pytest.param(adopted(probe_from=NOW).admitted(), Check(), id="never checked"),
        pytest.param(
            adopted(probe_from=LATER).admitted().checked(ready=True, ago=5),
            Wait(1),
            id="a newer credential in this second",
        ),
        pytest.param(
            adopted(probe_from=NOW).admitted().checked(ready=True, ago=1),
            Check(),
            id="a newer credential",
        ),
        pytest.param(
            adopted(probe_from=EARLIER).admitted().checked(ready=True),
            Wait(300),
            id="checked with it",
        ),
        pytest.param(
            adopted(is_gone=True).admitted().checked(ready=True), Withhold(NOT_KNOWN), id="gone"
        ),
        pytest.param(
            told(adopted(is_gone=True).admitted(), NOT_KNOWN), Wait(None), id="known to be gone"
        ),
        pytest.param(told(adopted().admitted(), NOT_KNOWN), Check(), id="back"),
        pytest.param(
            adopted(provider="other").admitted().checked(ready=True),
            Withhold(NOT_ADOPTED),
            id="its provider is not adopted any more",
        ),
        pytest.param(
            told(adopted(provider="other").admitted(), NOT_KNOWN),
            Withhold(NOT_ADOPTED),
            id="for another reason than is known",
        ),
    ],
)
def test_step(target: ATarget, step: Step) -> None:
    assert decide(target.built(), Past(), NOW, LIMITS) == step


def test_what_someone_takes_away_lets_nothing_start() -> None:
    unknown = Withhold("It is not known any more what the target was adopted from.")
    without_note = adopted().with_metadata(annotations={}).admitted().checked(ready=True)
    assert decide(without_note.built(), Past(), NOW, LIMITS) == unknown
    bare = replace(ATarget(), uuid=adopted_uuid("acm", "prod")).admitted().checked(ready=True)
    assert decide(bare.built(), Past(), NOW, LIMITS) == unknown


def test_the_annotation_alone_makes_no_adopted_target() -> None:
    target = adopted(is_gone=True).with_metadata(labels={}).admitted().checked(ready=True)
    assert decide(target.built(), Past(), NOW, LIMITS) == Wait(300)
