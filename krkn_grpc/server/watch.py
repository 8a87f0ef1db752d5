"""Streams the objects of one kind as they change, to any number of callers."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from google.protobuf.message import Message
from grpc import StatusCode

from krkn_grpc.kube.change_log import ChangeLog, TooOld, TooSlow
from krkn_grpc.kube.client import R
from krkn_grpc.kube.errors import KubeError
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.server import tokens
from krkn_grpc.server.auth.authorization import Permission
from krkn_grpc.server.errors import TokenTooOld, Unreachable
from krkn_grpc.v1.watch_pb2 import WatchError

_CANNOT_ASK = "the Kubernetes API cannot be asked whether you may still watch: resume"
_START_ANEW = "the resumeToken is too old: start anew without one"
_TOO_SLOW = "you read too slowly: resume with the last resumeToken, or start anew"

# More than the changes between the fastest and the slowest watcher, unless some are slow.
MOST_MESSAGES = 1_000
_CATCH_UP_SECONDS = 2.0

M = TypeVar("M", bound=Message)


class Filter(Protocol[R]):
    """Selects the objects that a watch is about."""

    @property
    def spelling(self) -> tuple[str, ...]:
        """The conditions, by which tokens and messages of equal filters are known."""

    def passes(self, item: R, /) -> bool:
        """Whether the object meets all conditions."""

    def present(self, items: ObjectCache[R], /) -> tuple[Iterable[R], int]:
        """Return the objects that pass, as the watch has sent them, and the revision it reached."""


@dataclass(frozen=True)
class Form(Generic[R, M]):
    """How the messages of one kind are made.

    `make` takes type, resume_token, error, and as `field` what `show` returns for an object.
    """

    make: Callable[..., M]
    field: str
    show: Callable[[R], Message]

    def of(self, kind: str, shown: Message, token: str = "") -> M:
        """Return the message about one object."""
        return self.make(type=kind, resume_token=token, **{self.field: shown})

    def synced(self, token: str) -> M:
        """Return the message after the present objects."""
        return self.make(type="SYNCED", resume_token=token)

    def error(self, code: StatusCode, message: str) -> M:
        """Return the last message of a stream that the server ends."""
        number: int = code.value[0]
        return self.make(type="ERROR", error=WatchError(code=number, message=message))


@dataclass(frozen=True)
class Messages(Generic[R, M]):
    """The messages of the latest changes; watchers with the same filter share a message."""

    form: Form[R, M]
    _made: dict[tuple[int, tuple[str, ...]], tuple[CacheChange[R], M | None]] = field(
        default_factory=dict
    )

    def of(self, change: CacheChange[R], wanted: Filter[R]) -> M | None:
        """Return the message of a change; None when the change is not visible to this filter."""
        key = (id(change), wanted.spelling)
        made = self._made.get(key)
        # The change is kept with its message, so that no other change can get its `id`.
        if made is None:
            if len(self._made) >= MOST_MESSAGES:
                self._made.clear()
            made = self._made[key] = change, _message(self.form, change, wanted)
        return made[1]


Accept = Callable[[], Awaitable[None]]


class Watch(Generic[R, M]):
    """The objects of one kind and their latest changes."""

    def __init__(
        self, items: Informer[R], history: ChangeLog[R], form: Form[R, M], things: str
    ) -> None:
        """Watch `items`, whose changes `history` keeps; `things` are they in a sentence."""
        self._items = items
        self._history = history
        self._form = form
        self._messages = Messages(form)
        self._denied = f"you may no longer watch {things}"

    async def stream(
        self,
        wanted: Filter[R],
        resume_token: str,
        caller: Permission,
        accept: Accept,
        *,
        only_accept: bool = False,
    ) -> AsyncGenerator[M, None]:
        """Yield the present objects, SYNCED, and every change; or the changes since the token.

        Calls `accept` when a token is valid, because the first change may take long. With
        `only_accept` it ends there.
        Raises TokenTooOld for a token whose changes are no longer kept. A reader that is too
        slow, or may no longer watch, gets ERROR as its last message.
        """
        form = self._form
        if resume_token:
            revision = tokens.read_revision(resume_token, wanted.spelling)
            await self._must_be_of_this_cluster(revision)
        else:
            present, revision = wanted.present(self._items)
            for item in present:
                # Without a token: the list is not complete yet, so a watch cannot resume here.
                yield form.of("ADDED", form.show(item))
            yield form.synced(tokens.write_revision(revision, wanted.spelling))
        is_new = True
        try:
            changes = self._history.since(revision, heartbeat_seconds=caller.heartbeat_seconds)
            if resume_token and (only_accept or revision <= self._items.revision):
                await accept()
                if only_accept:
                    return
            async for change in changes:
                is_new = False
                if not await caller.holds():
                    yield form.error(StatusCode.PERMISSION_DENIED, self._denied)
                    return
                if (
                    change is not None
                    and (message := self._messages.of(change, wanted)) is not None
                ):
                    yield message
        except TooOld as error:
            if resume_token and is_new:
                raise TokenTooOld(_START_ANEW) from None
            is_slow = isinstance(error, TooSlow) or not resume_token
            yield (
                form.error(StatusCode.RESOURCE_EXHAUSTED, _TOO_SLOW)
                if is_slow
                else form.error(StatusCode.OUT_OF_RANGE, _START_ANEW)
            )
            return
        except KubeError:
            yield form.error(StatusCode.UNAVAILABLE, _CANNOT_ASK)
            return
        raise Unreachable("the server is stopping: resume with the last resumeToken")

    async def _must_be_of_this_cluster(self, revision: int) -> None:
        """Raise TokenTooOld for a revision that the cluster has not reached: it was set up again.

        A revision that only this process has not reached is from another replica.
        """
        if revision > self._items.revision:
            newest = await self._items.client.list(limit=1)
            if newest.revision < revision:
                raise TokenTooOld(_START_ANEW)
            await self._items.reached(revision, _CATCH_UP_SECONDS)


def _message(form: Form[R, M], change: CacheChange[R], wanted: Filter[R]) -> M | None:
    was = change.old is not None and wanted.passes(change.old)
    now = change.new if change.new is not None and wanted.passes(change.new) else None
    if now is not None:
        kind, item = ("MODIFIED" if was else "ADDED"), now
    elif was:
        # Deleted, or no longer matching the filter: in its current state if it still exists.
        kind, item = "DELETED", change.object
    else:
        return None
    shown = form.show(item)
    if kind == "MODIFIED" and change.old is not None and form.show(change.old) == shown:
        return None  # For example a finalizer or a condition, which watchers do not see.
    token = tokens.write_revision(change.revision, wanted.spelling) if change.is_whole else ""
    return form.of(kind, shown, token)
