"""Each reader gets each of the latest changes once and in order, or is told that it cannot."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.kube import change_log
from krkn_grpc.kube.change_log import ChangeLog, TooOld, TooSlow
from krkn_grpc.kube.object_cache import CacheChange
from krkn_grpc.resources.core import Lease
from tests.unit.kube.model import ApiServer, State

NAMES = st.sampled_from("abc")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("tell"), st.integers(1, 4)),
        st.tuples(st.just("list")),
        st.tuples(st.just("come"), st.integers(0, 30)),
        st.tuples(st.just("read"), st.integers(0, 5), st.integers(1, 6)),
    ),
    max_size=60,
)
SIZES = st.sampled_from([1, 3, 1000])


@dataclass
class Reader:
    """Somebody who knows the state at a revision, and holds each change against what it knows."""

    start: int
    known: State
    changes: AsyncGenerator[CacheChange[Lease] | None, None]
    is_too_old: bool = False
    revisions: list[int] = field(default_factory=list)

    async def read(self, most: int) -> None:
        """Read so many changes, or what there is."""
        while most and not self.is_too_old:
            try:
                change = await anext(self.changes)
            except TooOld:
                self.is_too_old = True
                return
            if change is None:
                return
            most -= 1
            self.take_in(change)

    def take_in(self, change: CacheChange[Lease]) -> None:
        name = change.object.metadata.name
        assert self.known.get(name) == change.old, "each change follows on what was told before"
        if change.new is None:
            del self.known[name]
        else:
            self.known[name] = change.new
        self.revisions.append(change.revision)


async def nothing() -> AsyncGenerator[None, None]:
    return
    yield


class Play:
    """One interleaving of writers, a cache that follows or lists, and readers."""

    def __init__(self, size: int) -> None:
        self.server = ApiServer()
        self.server.list_again()
        self.history = ChangeLog(self.server.contents, size)
        self.readers: list[Reader] = []
        self.gaps: list[tuple[int, int]] = []

    async def take(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("put", name):
                self.server.put(name)
            case ("delete", name):
                self.server.delete(name)
            case ("tell", count):
                self.server.tell(count)
            case ("list",):
                self.gaps.append((self.server.contents.revision, self.server.revision))
                self.server.list_again()
            case ("come", back):
                # Also one whom another process has told more than this one knows.
                self.come(max(self.server.revision - back, 1))
            case ("read", index, most) if index < len(self.readers):
                await self.readers[index].read(most)

    def come(self, revision: int) -> None:
        known = dict(self.server.state_at(revision))
        try:
            changes = self.history.since(revision, heartbeat_seconds=0)
        except TooOld:
            self.readers.append(Reader(revision, known, nothing(), is_too_old=True))
        else:
            self.readers.append(Reader(revision, known, changes))

    async def end(self) -> None:
        """Let everything arrive everywhere."""
        self.server.tell()
        for reader in self.readers:
            await reader.read(1_000)
            await reader.changes.aclose()

    def is_within_a_gap(self, revision: int) -> bool:
        return any(before < revision < after for before, after in self.gaps)


@given(STEPS, SIZES)
def test_any_interleaving(steps: list[tuple[Any, ...]], size: int) -> None:
    async def play() -> None:
        it = Play(size)
        for step in steps:
            await it.take(step)
        await it.end()
        for reader in it.readers:
            assert reader.revisions == sorted(reader.revisions)
            if size == 1000:
                assert reader.is_too_old == it.is_within_a_gap(reader.start)
            if not reader.is_too_old:
                assert reader.known == it.server.state

    asyncio.run(play())


def a_play(*, size: int = 10, told: int = 0) -> Play:
    it = Play(size)
    for _ in range(told):
        it.server.put("a")
    it.server.tell()
    return it


async def read(it: Play, revision: int, count: int) -> list[int]:
    """Return the revisions of so many changes after one."""
    found: list[int] = []
    async with aclosing(it.history.since(revision)) as changes:
        while len(found) < count:
            change = await anext(changes)
            assert change is not None
            found.append(change.revision)
    return found


async def test_what_was_there_before_the_history_is_too_old() -> None:
    server = ApiServer()
    server.put("a")
    server.list_again()
    history = ChangeLog(server.contents, 10)
    with pytest.raises(TooOld):
        history.since(1, heartbeat_seconds=0)
    assert await anext(history.since(2, heartbeat_seconds=0)) is None


async def test_a_full_history_forgets_the_oldest() -> None:
    it = a_play(size=3, told=5)  # revisions 2 to 6
    assert await read(it, 3, 3) == [4, 5, 6]
    with pytest.raises(TooOld):
        await read(it, 2, 1)


async def test_a_slow_reader_is_told_and_others_are_not_hurt() -> None:
    it = a_play(size=3)
    slow, quick = (it.history.since(1) for _ in range(2))
    it.server.put("a")
    it.server.tell()
    assert (await anext(slow)) == (await anext(quick))
    for _ in range(4):
        it.server.put("a")
        it.server.tell()
        assert await anext(quick) is not None
    with pytest.raises(TooSlow):
        await anext(slow)
    await quick.aclose()


async def test_readers_wait_for_what_comes() -> None:
    it = a_play()
    waiting = [asyncio.create_task(read(it, 1, 2)) for _ in range(3)]
    await asyncio.sleep(0)
    for _ in range(2):
        it.server.put("a")
        it.server.tell()
    assert await asyncio.gather(*waiting) == [[2, 3]] * 3


async def test_who_is_further_than_the_cache_is_told_nothing_twice() -> None:
    it = a_play(told=2)  # told up to 3
    for _ in range(3):
        it.server.put("a")
    ahead = asyncio.create_task(read(it, 5, 1))
    await asyncio.sleep(0)
    it.server.tell()
    assert await ahead == [6]


async def test_a_gap_that_a_reader_is_within_of_is_told_though_nothing_differs() -> None:
    it = a_play()
    it.server.put("a")  # the reader was told of it, elsewhere
    it.server.delete("a")  # nobody was
    ahead = asyncio.create_task(read(it, 2, 1))
    await asyncio.sleep(0)
    it.server.list_again()
    with pytest.raises(TooOld):
        await ahead


async def test_its_end_ends_every_reader() -> None:
    it = a_play(told=1)
    waiting = asyncio.create_task(anext(it.history.since(2), "the end"))
    closed = asyncio.create_task(it.history.closed())
    await asyncio.sleep(0)
    it.history.close()
    assert await waiting == "the end"
    await closed
    assert await anext(it.history.since(1), "the end") == "the end"


async def test_a_quiet_history_gives_a_pulse() -> None:
    it = a_play()
    async with aclosing(it.history.since(1, heartbeat_seconds=0.001)) as changes:
        assert await anext(changes) is None
        it.server.put("a")
        it.server.tell()
        change = await anext(changes)
        assert change is not None


async def test_a_revision_that_never_comes_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is of a past that was undone: to wait for it would be to wait for ever."""
    monkeypatch.setattr(change_log, "LONGEST_BEHIND_SECONDS", 0.05)
    monkeypatch.setattr(change_log, "LOOK_SECONDS", 0.01)
    server = ApiServer()
    server.list_again()
    kept = ChangeLog(server.contents, 10)
    for pulse in (None, 0.01):
        with pytest.raises(TooOld):
            await read_to_the_end(kept.since(100, heartbeat_seconds=pulse))


async def read_to_the_end(changes: AsyncGenerator[CacheChange[Lease] | None, None]) -> None:
    async for change in changes:
        assert change is None
