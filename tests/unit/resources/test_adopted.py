"""The note of an adoption, which anyone who may change a target may write."""

import pytest

from krkn_grpc.resources.adopted import Adoption
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.well_known import ADOPTION


@pytest.mark.parametrize(
    "note", ["", "{", "[]", "{}", '{"provider": 5}', '{"x": %s}' % ("[" * 2_000 + "]" * 2_000)]
)
def test_a_note_that_cannot_be_read_is_none(note: str) -> None:
    assert Adoption.of(ObjectMeta(annotations={ADOPTION: note})) is None
