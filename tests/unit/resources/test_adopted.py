"""The note of an adoption, which anyone who may change a target may write, and the provider."""

import pytest

from krkn_grpc.resources.adopted import Adoption, Source, provider_label, provider_of
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.well_known import ADOPTION, TARGET_PROVIDER
from tests.unit.controller.targets.builders import NOW, ATarget


@pytest.mark.parametrize(
    "note", ["", "{", "[]", "{}", '{"provider": 5}', '{"x": %s}' % ("[" * 2_000 + "]" * 2_000)]
)
def test_a_note_that_cannot_be_read_is_none(note: str) -> None:
    assert Adoption.of(ObjectMeta(annotations={ADOPTION: note})) is None


def test_the_provider_of_a_target() -> None:
    ours = ATarget()
    assert provider_of(ours.built()) == "krkn-operator"
    name = "a provider of a long name " * 4
    source = Source(requested=NOW, request_uid="u")
    adopted = ours.with_metadata(
        labels=provider_label(name),
        annotations=Adoption(provider=name, source=source).annotation,
    )
    assert provider_of(adopted.built()) == name
    without_note = adopted.with_metadata(annotations={}).built()
    assert provider_of(without_note) == provider_label(name)[TARGET_PROVIDER]
