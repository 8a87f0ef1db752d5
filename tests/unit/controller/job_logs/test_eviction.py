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


THREE = [a_log("new", 10, age=1), a_log("old", 10, age=9), a_log("middle", 10, age=5)]


@pytest.mark.parametrize(
    ("limit", "needed", "names"),
    [
        pytest.param(30, 0, [], id="all fit"),
        pytest.param(40, 10, [], id="and one more"),
        pytest.param(39, 10, ["old"], id="the oldest goes"),
        pytest.param(30, 11, ["old", "middle"], id="the two oldest"),
        pytest.param(0, 0, ["old", "middle", "new"], id="none may stay"),
        pytest.param(5, 100, ["old", "middle", "new"], id="no more than there are"),
    ],
)
def test_the_oldest_go(limit: int, needed: int, names: list[str]) -> None:
    assert [log.metadata.name for log in to_delete(THREE, limit, needed)] == names


def test_within_a_second_the_first_written_goes() -> None:
    logs = [a_log("b", 10, version=9), a_log("a", 10, version=10), a_log("c", 10, version=8)]
    assert [log.metadata.name for log in to_delete(logs, 20)] == ["c"]


@pytest.mark.parametrize("size", [None, "", "-1", "ten", "9" * 20])
def test_a_log_that_does_not_say_its_size_counts_as_a_large_one(size: str | None) -> None:
    assert a_log("a", size).stored_bytes == 1_048_576


@given(st.lists(st.integers(0, 100)), st.integers(0, 500), st.integers(0, 500))
def test_what_stays_fits_and_nothing_goes_in_vain(
    sizes: list[int], limit: int, needed: int
) -> None:
    logs = [a_log(str(age), size, age=age) for age, size in enumerate(sizes)]
    going = to_delete(logs, limit, needed)
    left = sum(sizes) - sum(log.stored_bytes for log in going)
    assert left + needed <= limit or len(going) == len(logs)
    if going:
        assert left + going[-1].stored_bytes + needed > limit
