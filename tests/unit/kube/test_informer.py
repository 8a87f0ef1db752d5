"""What a cache holds: as the watch brings it, with what its own process has written already."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.kube.index import ALL, position_of
from krkn_grpc.kube.object_cache import CacheChange
from krkn_grpc.resources.core import Lease
from tests.unit.kube.model import ApiServer, an_object, index_func, of_group

NAMES = st.sampled_from("abc")
GROUPS = st.sampled_from("xy")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put by another"), NAMES, GROUPS),
        st.tuples(st.just("delete by another"), NAMES),
        st.tuples(st.just("put"), NAMES, GROUPS),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("answer"), st.integers(0, 3)),
        st.tuples(st.just("tell"), st.integers(1, 5)),
        st.tuples(st.just("list")),
    ),
    max_size=40,
)


@pytest.fixture
def server() -> ApiServer:
    """An API server whose cache has listed nothing yet."""
    return synced()


def synced() -> ApiServer:
    server = ApiServer()
    server.list_again()
    return server


class Writer:
    """The cache's own process: the answers to its writes come late, and in any order."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.answers: list[tuple[str, Lease]] = []
        self.newest: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.seen = len(server.contents)
        server.contents.listen(self.count)

    def count(self, change: CacheChange[Lease]) -> None:
        self.seen += (change.new is not None) - (change.old is not None)

    def take(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("put by another", name, group):
                self.server.put(name, group)
            case ("delete by another", name):
                self.server.delete(name)
            case ("put", name, group):
                self.answers.append(("written", self.server.put(name, group)))
            case ("delete", name):
                # Only what it knows of.
                known, there = self.server.contents.get(name), self.server.state.get(name)
                if known and there and known.metadata.uid == there.metadata.uid:
                    self.server.delete(name)
                    self.answers.append(("deleted", known))
            case ("answer", index) if index < len(self.answers):
                self.answered(*self.answers.pop(index))
            case ("tell", count):
                self.server.tell(count)
            case ("list",):
                self.server.list_again()

    def answered(self, what: str, item: Lease) -> None:
        contents = self.server.contents
        if what == "deleted":
            contents.forget(item)
            self.deleted.add(item.metadata.uid)
            return
        contents.remember(item)
        shown = contents.get(item.metadata.name)
        if item.metadata.uid not in self.deleted and shown is not None:
            assert int(shown.metadata.resource_version) >= int(item.metadata.resource_version)

    def look(self) -> None:
        """What is shown never goes back: to an older version, or to what was deleted."""
        for item in self.server.contents.values():
            uid, revision = item.metadata.uid, int(item.metadata.resource_version)
            assert revision >= self.newest.get(uid, 0)
            self.newest[uid] = revision
            assert uid not in self.deleted
        self.look_at_groups()
        ahead = self.server.contents.ahead()
        more = sum((new is not None) - (old is not None) for old, new in ahead)
        assert self.seen + more == len(list(self.server.contents.values()))

    def look_at_groups(self) -> None:
        """Each group has what belongs to it, newest first, from any position on."""
        contents = self.server.contents
        ordered = sorted(contents.values(), key=position_of, reverse=True)
        for group in (ALL, "x", "y"):
            filed = [item for item in ordered if group in index_func(item)]
            assert list(contents.newest(group)) == filed
            for item in filed:
                before = position_of(item)
                older = [each for each in filed if position_of(each) < before]
                assert list(contents.newest(group, before)) == older


@given(STEPS)
def test_own_writes_are_shown_and_give_way_to_what_really_is(steps: list[tuple[Any, ...]]) -> None:
    server = synced()
    writer = Writer(server)
    for step in steps:
        writer.take(step)
        writer.look()
    while writer.answers:
        writer.take(("answer", 0))
        writer.look()
    server.tell()
    writer.look()
    assert shown(server) == server.state
    for group in ("x", "y"):
        filed = {item.metadata.name: item for item in server.contents.newest(group)}
        assert filed == {k: v for k, v in server.state.items() if of_group(v) == group}
        assert server.contents.count(group) == len(filed)
    assert {item.metadata.name: item for item in server.contents.seen(ALL)[0]} == server.state
    assert server.contents.revision == server.revision


def shown(server: ApiServer) -> dict[str, Lease]:
    by_name = {item.metadata.name: item for item in server.contents.values()}
    assert by_name == {name: server.contents.get(name) for name in by_name}
    return by_name


def test_a_write_is_shown_before_the_watch_brings_it(server: ApiServer) -> None:
    written = server.put("a", "x")
    server.contents.remember(written)
    assert server.contents.get("a") == written
    assert list(server.contents.newest("x")) == [written]
    assert server.contents.seen(ALL) == ([], 1)


def test_a_change_moves_to_another_group_at_once(server: ApiServer) -> None:
    server.put("a", "x")
    server.tell()
    moved = server.put("a", "y")
    server.contents.remember(moved)
    assert list(server.contents.newest("x")) == []
    assert list(server.contents.newest("y")) == [moved]


def test_a_deletion_is_seen_before_the_watch_brings_even_the_creation(server: ApiServer) -> None:
    written = server.put("a")
    server.contents.remember(written)
    server.delete("a")
    server.contents.forget(written)
    for _ in range(3):
        assert server.contents.get("a") is None
        assert shown(server) == {}
        server.tell(1)


def test_another_one_of_the_name_of_a_deleted_one_is_shown(server: ApiServer) -> None:
    written = server.put("a")
    server.tell()
    server.delete("a")
    server.contents.forget(written)
    again = server.put("a")
    server.contents.remember(again)
    assert server.contents.get("a") == again


def test_an_answer_that_comes_after_the_deletion_was_seen_brings_nothing_back(
    server: ApiServer,
) -> None:
    written = server.put("a")
    server.delete("a")
    server.tell()
    server.contents.remember(written)
    assert server.contents.get("a") is None


def test_an_answer_that_comes_after_the_answer_of_the_deletion_brings_nothing_back(
    server: ApiServer,
) -> None:
    known = server.put("a")
    server.tell()
    changed = server.put("a")
    server.delete("a")
    server.contents.forget(known)
    server.contents.remember(changed)
    assert server.contents.get("a") is None
    server.tell()
    assert server.contents.get("a") is None


def test_listeners_hear_each_change_once_and_nothing_of_own_writes(server: ApiServer) -> None:
    heard: list[CacheChange[Lease]] = []
    server.contents.listen(heard.append)
    first = server.put("a")
    server.contents.remember(first)
    assert heard == []
    second = server.put("a")
    server.delete("a")
    server.tell()
    assert heard == [
        CacheChange(None, first, 2, is_whole=True),
        CacheChange(first, second, 3, is_whole=True),
        CacheChange(second, None, 4, is_whole=True),
    ]


def test_a_list_tells_only_what_changed_and_its_last_change_makes_it_whole(
    server: ApiServer,
) -> None:
    heard: list[CacheChange[Lease]] = []
    same, old = server.put("same"), server.put("changed")
    gone = server.put("gone")
    server.tell()
    server.contents.listen(heard.append)
    server.delete("gone")
    changed, new = server.put("changed"), server.put("new")
    server.list_again()
    assert [seen.revision for seen in heard] == [7, 7, 7]
    assert [seen.is_whole for seen in heard] == [False, False, True]
    told = {seen.object.metadata.name: (seen.old, seen.new) for seen in heard}
    assert told == {"gone": (gone, None), "changed": (old, changed), "new": (None, new)}
    assert server.contents.get("same") == same


def test_only_what_lies_within_a_gap_was_not_followed(server: ApiServer) -> None:
    server.put("a")
    server.tell()
    for _ in range(3):
        server.put("a")
    server.list_again()
    assert server.contents.revision == 5
    followed = [server.contents.has_followed(revision) for revision in range(1, 7)]
    assert followed == [True, True, False, False, True, True]


def test_what_is_older_than_what_is_known_is_not_remembered(server: ApiServer) -> None:
    server.put("a")
    newest = server.put("a")
    server.contents.remember(newest)
    server.contents.remember(an_object("a", 2, newest.metadata.uid))
    assert server.contents.get("a") == newest
