"""The oldest kept logs go, as many as have to and no more."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.job_logs.eviction import to_delete
from krkn_grpc.resources import well_known
from krkn_grpc.resources.kept_log import KeptLogHead
from krkn_grpc.resources.meta import ObjectMeta

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def a_log(name: str, size: int | str | None, *, age: float = 0, version: int = 1) -> KeptLogHead:
    annotations = {} if size is None else {well_known.STORED_BYTES: str(size)}
    return KeptLogHead(
        metadata=ObjectMeta(
            name=name,
            resource_version=str(version),
            creation_timestamp=NOW - timedelta(seconds=age),
            annotations=annotations,
        )
    )


THREE = [a_log("old", 10, age=9), a_log("middle", 10, age=5), a_log("new", 10, age=1)]


@pytest.mark.parametrize(
    ("excess", "names"),
    [
        pytest.param(-5, [], id="there is room"),
        pytest.param(0, [], id="all fit"),
        pytest.param(1, ["old"], id="the oldest goes"),
        pytest.param(10, ["old"], id="it is enough"),
        pytest.param(11, ["old", "middle"], id="the two oldest"),
        pytest.param(30, ["old", "middle", "new"], id="none may stay"),
        pytest.param(100, ["old", "middle", "new"], id="no more than there are"),
    ],
)
def test_the_oldest_go(excess: int, names: list[str]) -> None:
    assert [log.metadata.name for log in to_delete(THREE, excess)] == names


def test_no_more_go_at_once_than_are_asked_for() -> None:
    assert [log.metadata.name for log in to_delete(THREE, 30, most=2)] == ["old", "middle"]


def test_within_a_second_the_first_written_goes() -> None:
    logs = [a_log("a", 10, version=10), a_log("b", 10, version=9), a_log("c", 10, version=8)]
    assert [log.metadata.name for log in to_delete(logs, 20)] == ["c", "b"]


def test_no_more_are_looked_at_than_have_to_go() -> None:
    """So that a full room costs no more the more logs it has."""
    logs = iter([*THREE, a_log("newest", 10)])
    assert [log.metadata.name for log in to_delete(logs, 10)] == ["old"]
    # One more tells that no other is of the same second.
    assert [log.metadata.name for log in logs] == ["new", "newest"]


@pytest.mark.parametrize("size", [None, "", "-1", "ten", "9" * 20])
def test_a_log_that_does_not_say_its_size_counts_as_a_large_one(size: str | None) -> None:
    assert a_log("a", size).stored_bytes == 1_048_576


@given(st.lists(st.integers(0, 100)), st.integers(-50, 500))
def test_what_goes_is_enough_and_nothing_goes_in_vain(sizes: list[int], excess: int) -> None:
    logs = [a_log(str(number), size, age=-number) for number, size in enumerate(sizes)]
    going = to_delete(logs, excess)
    freed = sum(log.stored_bytes for log in going)
    assert freed >= excess or len(going) == len(logs)
    if going:
        assert freed - going[-1].stored_bytes < excess
