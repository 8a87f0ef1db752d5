"""Pages stay whole while objects come and go between them."""

import base64
import contextlib
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krkn_grpc.kube.index import ALL, everything
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources.core import Lease, LeaseSpec
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.server.errors import InvalidRequest
from krkn_grpc.server.pagination import DEFAULT_SIZE, LARGEST_BYTES, LARGEST_SIZE, Source, page
from krkn_grpc.v1 import scenario_runs_pb2 as pb
from tests.unit.server.runs.requests import NOW, violated

FILTERS = ("target", "")


def item(name: str, seconds: int, text: str = "") -> Lease:
    """Any resource: pages look at the metadata alone; `text` makes it large."""
    created = NOW + timedelta(seconds=seconds)
    metadata = ObjectMeta(name=name, creation_timestamp=created)
    return Lease(metadata=metadata, spec=LeaseSpec(holder_identity=text))


def newest(items: list[Lease]) -> Source[Lease]:
    """What a cache gives that has these items and no others."""
    contents: ObjectCache[Lease] = ObjectCache(everything)
    contents.replace(items, 1)
    return partial(contents.newest, ALL)


def show(lease: Lease) -> pb.Job:
    """Any message: what an item becomes is the caller's business."""
    return pb.Job(job_id=lease.metadata.name, message=lease.spec.holder_identity)


def of(items: list[Lease], size: int, token: str = "") -> tuple[list[str], str]:
    """The names on a page, and the token of the next."""
    shown, following = page(newest(items), size=size, token=token, filters=FILTERS, show=show)
    return [each.job_id for each in shown], following


def test_newest_first_and_by_name_within_a_second() -> None:
    items = [item("a", 1), item("c", 2), item("b", 2), item("d", 0)]
    assert of(items, 10) == (["c", "b", "a", "d"], "")


def test_a_page_that_holds_all_is_the_last() -> None:
    items = [item("a", 1), item("b", 2)]
    assert of(items, 2) == (["b", "a"], "")
    shown, token = of(items, 1)
    assert shown == ["b"]
    assert of(items, 1, token) == (["a"], "")


def test_an_empty_list_is_one_empty_page() -> None:
    assert of([], 0) == ([], "")


def test_no_size_means_500() -> None:
    items = [item(f"{number:04}", number) for number in range(DEFAULT_SIZE + 1)]
    shown, token = of(items, 0)
    assert len(shown) == DEFAULT_SIZE == 500
    assert of(items, 0, token) == (["0000"], "")


def test_the_largest_size() -> None:
    items = [item(f"{number:04}", number) for number in range(LARGEST_SIZE)]
    assert len(of(items, LARGEST_SIZE)[0]) == LARGEST_SIZE == 1000


def test_a_page_ends_before_it_is_larger_than_clients_receive() -> None:
    items = [item(f"{number:03}", number, "x" * 100_000) for number in range(100)]
    found, token, pages = [], "", 0
    while True:
        shown, token = page(newest(items), size=0, token=token, filters=FILTERS, show=show)
        assert pb.ListScenarioRunsResponse(jobs=shown).ByteSize() <= LARGEST_BYTES
        found += [each.job_id for each in shown]
        pages += 1
        if not token:
            break
    assert found == sorted((each.metadata.name for each in items), reverse=True)
    assert pages == 4


def test_what_is_too_large_alone_is_shown_alone() -> None:
    items = [item("a", 1), item("b", 2, "x" * LARGEST_BYTES), item("c", 3)]
    shown, token = of(items, 0)
    assert shown == ["c"]
    shown, token = of(items, 0, token)
    assert shown == ["b"]
    assert of(items, 0, token) == (["a"], "")


@pytest.mark.parametrize("size", [-1, -(2**31), 1001, 2**31 - 1])
def test_a_size_out_of_bounds(size: int) -> None:
    assert violated(lambda: of([], size)) == ["pageSize"]


@pytest.mark.parametrize("others", [(), ("target",), ("", "target"), ("target,", "")])
def test_a_token_of_other_filters_is_refused(others: tuple[str, ...]) -> None:
    _, token = of([item("a", 1), item("b", 2)], 1)
    assert violated(lambda: page(newest([]), size=1, token=token, filters=others, show=show)) == [
        "pageToken"
    ]


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "====",
        "eyJ9",
        "\N{ROCKET}",
        " ",
        "\0",
        "A" * 100_000,
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b"null").decode(),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b'["page","",1,"a",' + b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b'["page","",1e999,"a"]').decode(),
        base64.urlsafe_b64encode(b'["page","",1,"\xff"]').decode(),
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert violated(lambda: of([], 1, token)) == ["pageToken"]


@settings(deadline=None)
@given(st.text())
def test_no_text_is_a_token_by_chance(token: str) -> None:
    if token:
        assert violated(lambda: of([], 1, token)) == ["pageToken"]


@settings(deadline=None)
@given(st.data())
def test_a_changed_token_is_refused_or_only_moves(data: st.DataObject) -> None:
    """A token that was tampered with is an error of the caller's, or another place in the list."""
    items = [item("a", 1), item("b", 2), item("c", 3)]
    _, token = of(items, 1)
    at = data.draw(st.integers(0, len(token) - 1))
    changed = token[:at] + data.draw(st.characters()) + token[at + 1 :]
    with contextlib.suppress(InvalidRequest):
        assert set(of(items, 1, changed)[0]) <= {"a", "b", "c"}


@dataclass
class Collection:
    """Objects that come and go; a name is never used again."""

    items: dict[str, Lease] = field(default_factory=dict)
    made: int = 0

    def add(self, second: int) -> None:
        name = f"{self.made * 7919 % 1000:03}-{self.made}"
        self.made += 1
        self.items[name] = item(name, second)

    def remove(self, index: int) -> None:
        if self.items:
            del self.items[sorted(self.items)[index % len(self.items)]]


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 3), max_size=30),
    st.lists(st.tuples(st.integers(1, 5), st.lists(st.integers(-50, 3), max_size=4)), max_size=15),
)
def test_nothing_is_shown_twice_and_nothing_is_missed(
    start: list[int], steps: list[tuple[int, list[int]]]
) -> None:
    """Few seconds, so that many objects share one; a negative change removes one of them."""
    held = Collection()
    for second in start:
        held.add(second)
    throughout, shown, token = set(held.items), [], ""
    for size, changes in itertools.chain(steps, itertools.repeat((7, []))):
        found, token = of(list(held.items.values()), size, token)
        assert len(found) <= size
        shown += found
        if not token:
            break
        for change in changes:
            held.add(change) if change >= 0 else held.remove(-change)
        throughout &= set(held.items)
    assert len(shown) == len(set(shown)), "shown twice"
    assert throughout <= set(shown), "missed"


def test_objects_without_a_time_are_listed_too() -> None:
    items = [Lease(metadata=ObjectMeta(name=name)) for name in ("a", "b", "c")]
    shown, token = of(items, 2)
    assert (shown, of(items, 2, token)[0]) == (["c", "b"], ["a"])


def test_times_are_compared_and_not_their_zone() -> None:
    later = datetime(2026, 1, 1, 12, tzinfo=UTC)
    items = [
        Lease(metadata=ObjectMeta(name="a", creation_timestamp=later)),
        item("b", 0),
    ]
    assert of(items, 2)[0] == ["a", "b"]
