"""Watches that resume by themselves, as if the connection were never cut."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import grpc

from krkn_grpc.client.errors import KrknError, TooOld, Unavailable, from_watch
from krkn_grpc.client.retries import Patience, Resumption
from krkn_grpc.client.statuses import ChangeType
from krkn_grpc.v1.watch_pb2 import WatchError

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Change(Generic[T]):
    """One change: what happened, and the whole object after it."""

    type: ChangeType
    object: T


class Synced:
    """All that there was when the watch began has been told."""


class Message(Protocol):
    """A message of a watch, apart from its object."""

    @property
    def type(self) -> str:
        """What happened."""

    @property
    def resume_token(self) -> str:
        """To go on after this message."""

    @property
    def error(self) -> WatchError:
        """Why the stream ends."""


M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Watched(Generic[M, U]):
    """What is watched: how to open a stream (with a resume token, or ""), and what it tells."""

    open: Callable[[str], AsyncGenerator[M, None]]
    object: Callable[[M], U]
    key: Callable[[U], str]


class WatchState(Generic[M, U]):
    """The known objects; it merges the messages of several streams into one sequence. Pure."""

    def __init__(self, watched: Watched[M, U]) -> None:
        self.resume_token = ""
        self._watched = watched
        self._known: dict[str, U] = {}
        self._present: dict[str, U] | None = None
        self._has_synced = False

    def stream_begins(self) -> None:
        """Expect a full list of the objects, unless a token continues an earlier stream."""
        self._present = None if self.resume_token else {}

    def token_is_too_old(self) -> None:
        """Drop the token: the next stream's full list is compared with the known objects."""
        self.resume_token = ""

    def take(self, message: M) -> list[Change[U] | Synced]:
        """Return what the message adds; raises KrknError for ERROR."""
        if message.type == "ERROR":
            raise from_watch(message.error.code, message.error.message)
        if self._present is not None:
            if message.type != "SYNCED":
                told = self._watched.object(message)
                self._present[self._watched.key(told)] = told
                return []
            present, self._present = self._present, None
            self.resume_token = message.resume_token
            return self._compared_with(present)
        self.resume_token = message.resume_token or self.resume_token
        if message.type == "SYNCED":
            return []
        told = self._watched.object(message)
        if message.type == "DELETED":
            was_known = self._known.pop(self._watched.key(told), None) is not None
            return [Change(ChangeType.DELETED, told)] if was_known else []
        return [*self._seen(told)]

    def _compared_with(self, present: dict[str, U]) -> list[Change[U] | Synced]:
        gone = [self._known.pop(key) for key in self._known.keys() - present.keys()]
        changes: list[Change[U] | Synced] = [Change(ChangeType.DELETED, each) for each in gone]
        for each in present.values():
            changes += self._seen(each)
        if not self._has_synced:
            self._has_synced = True
            changes.append(Synced())
        return changes

    def _seen(self, told: U) -> list[Change[U]]:
        key = self._watched.key(told)
        before = self._known.get(key)
        self._known[key] = told
        if before == told:
            return []
        return [Change(ChangeType.ADDED if before is None else ChangeType.MODIFIED, told)]


async def watch(
    watched: Watched[M, U], patience: Patience
) -> AsyncGenerator[Change[U] | Synced, None]:
    """Yield each existing object as ADDED, then Synced, then each change, without end.

    A stream that is cut is resumed; where that is not possible a new one begins, and only
    differences are yielded. Raises KrknError when nothing came for as long as the patience, or
    when a new stream would be refused as well.
    """
    state, resumption = WatchState(watched), Resumption(patience)
    while True:
        state.stream_begins()
        try:
            async with aclosing(watched.open(state.resume_token)) as stream:
                async for message in stream:
                    changes = state.take(message)
                    resumption.progressed()
                    for change in changes:
                        yield change
            error: KrknError = Unavailable("the watch was cut", code=grpc.StatusCode.UNAVAILABLE)
        except KrknError as raised:
            error = raised
        if isinstance(error, TooOld):
            state.token_is_too_old()
        await resumption.wait(error)


async def changes_only(
    told: AsyncGenerator[Change[U] | Synced, None], read: Callable[[U], T]
) -> AsyncGenerator[Change[T], None]:
    """Yield the changes, each object read into its model."""
    async with aclosing(told) as changes:
        async for change in changes:
            if isinstance(change, Change):
                yield Change(change.type, read(change.object))
