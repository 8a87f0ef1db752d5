"""What a cache keeps of labels and annotations that others have written."""

import pytest

from krkn_grpc.resources import well_known
from krkn_grpc.resources.core import Lease
from krkn_grpc.resources.meta import ObjectMeta

OURS = dict.fromkeys((well_known.APP, *well_known.RESERVED), "ours")
NOTES = {well_known.TRACE: "trace", well_known.CALL: "1", well_known.IGNORED_OPTIONS: "skipTls"}


def with_labels(given: dict[str, str]) -> dict[str, str]:
    """What is kept of these labels."""
    return well_known.bounded(Lease(metadata=ObjectMeta(labels=given))).metadata.labels


def with_annotations(given: dict[str, str]) -> dict[str, str]:
    """What is kept of these annotations."""
    return well_known.bounded(Lease(metadata=ObjectMeta(annotations=given))).metadata.annotations


def test_what_is_not_too_much_is_kept_as_it_is() -> None:
    given = {f"k{number}": "v" for number in range(well_known.MOST_KEPT)}
    item = Lease(metadata=ObjectMeta(labels=given, annotations={"a": "x" * 8_000, **NOTES}))
    assert well_known.bounded(item) is item


@pytest.mark.parametrize("others_first", [True, False])
def test_of_very_many_labels_ours_and_some_are_kept(others_first: bool) -> None:
    others = {f"-{number}": "v" for number in range(45_000)}
    kept = with_labels(others | OURS if others_first else OURS | others)
    assert len(kept) == well_known.MOST_KEPT
    assert OURS.items() <= kept.items()
    assert [*kept][len(OURS) :] == [*others][: well_known.MOST_KEPT - len(OURS)]


def test_of_large_annotations_ours_are_kept() -> None:
    assert with_annotations({"a": "x" * 250_000, **NOTES}) == NOTES


def test_ours_are_not_kept_either_when_they_cannot_be_ours() -> None:
    large = {well_known.IGNORED_OPTIONS: "x" * 250_000}
    assert with_annotations(NOTES | large) == {
        key: NOTES[key] for key in (well_known.TRACE, well_known.CALL)
    }


def test_a_name_like_ours_is_not_ours() -> None:
    others = {f"{well_known.TRACE}-{number}": "x" for number in range(3_000)}
    assert with_annotations(others | NOTES) == NOTES
