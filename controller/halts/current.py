"""The halts that there are now, for those who must not start anything while there is one."""

import asyncio
import time
from collections.abc import Callable

import msgspec
import structlog

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import Forbidden, KubeError, NotFound
from krkn_grpc.kube.index import position_of
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.halt import Halt, HaltSpec
from krkn_grpc.resources.meta import ObjectMeta, Resource
from krkn_grpc.told import told

_EVERY_SECONDS = 2.0
_KNOWN_SECONDS = 10.0
_FIRST_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class _StoredHalt(Resource, frozen=True, kw_only=True):
    """A halt of which only the metadata is known to be in order."""

    KIND = Halt.KIND

    spec: msgspec.Raw = msgspec.Raw(b"{}")


class CurrentHalts:
    """The halts of the namespace.

    The watch reports a halt at once. It may also be silent for a minute before its connection
    counts as lost, go on although the account may no longer read halts, and leave out an object
    that does not fit our types. So the halts are listed besides, every two seconds: what is listed
    and was not reported is read by itself.
    """

    def __init__(self, session: Session, namespace: str) -> None:
        """Start without any; the caller runs `cache` and `run`."""
        self.cache = Informer(ResourceClient(session, Halt, namespace))
        self._stored = ResourceClient(session, _StoredHalt, namespace)
        self._listed: float | None = None
        self._is_failing = False
        # Listed, and not reported by the watch.
        self._unreported: dict[str, Halt] = {}
        self._listeners: list[Callable[[Halt], None]] = []
        self.cache.listen(self._look)

    def listen(self, listener: Callable[[Halt], None]) -> None:
        """Call `listener` for each halt that is new or has changed, from now on."""
        self._listeners.append(listener)

    @property
    def are_known(self) -> bool:
        """Whether they were listed lately, so that none is missing."""
        return self._listed is not None and time.monotonic() - self._listed < _KNOWN_SECONDS

    def all(self) -> tuple[Halt, ...]:
        """Return the known halts that hold, oldest first."""
        found = [halt for halt in self.cache.values() if halt.holds]
        if self._unreported:
            unreported = self._unreported.values()
            found += [halt for halt in unreported if not self._has(halt.metadata) and halt.holds]
        return tuple(sorted(found, key=position_of))

    async def still_holds(self, halt: Halt) -> bool:
        """Whether the halt still holds, by the API server; raises KubeError."""
        try:
            now = await self.cache.client.get_metadata(halt.metadata.name)
        except NotFound:
            return False
        return now.uid == halt.metadata.uid and now.deletion_timestamp is None

    async def look_first(self) -> None:
        """List them once, for some seconds at most; `are_known` says whether that went well."""
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                await self._try()
        except TimeoutError:
            _log.warning("halts not listed in time")

    async def run(self) -> None:
        """List them until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            await self._try()

    async def _try(self) -> None:
        began = time.monotonic()
        try:
            await self._list()
        except KubeError as error:
            # A clear no is believed at once; else they are known for some seconds more.
            if isinstance(error, Forbidden | NotFound):
                self._listed = None
            if not self._is_failing:
                _log.error("halts not listed", error=told(error))
            self._is_failing = True
        else:
            self._listed, self._is_failing = began, False

    async def _list(self) -> None:
        unreported: dict[str, Halt] = {}
        for metadata in await self.cache.client.list_metadata():
            if self._has(metadata):
                continue
            name, before = metadata.name, self._unreported.get(metadata.name)
            halt = before if _is_same(before, metadata) else await self._read(name)
            if halt is not None:
                unreported[name] = halt
        new = [halt for name, halt in unreported.items() if halt is not self._unreported.get(name)]
        self._unreported = unreported
        for halt in new:
            self._tell(halt)

    async def _read(self, name: str) -> Halt | None:
        try:
            stored = await self._stored.get(name)
        except NotFound:
            return None
        try:
            spec = msgspec.json.decode(stored.spec, type=HaltSpec)
        except msgspec.MsgspecError as error:
            _log.error("unreadable halt selects everything", name=name, error=told(error))
            spec = HaltSpec()
        return Halt(metadata=stored.metadata, spec=spec)

    def _has(self, metadata: ObjectMeta) -> bool:
        """Whether the watch has reported the halt as it is."""
        return _is_same(self.cache.get(metadata.name), metadata)

    def _look(self, seen: CacheChange[Halt]) -> None:
        if seen.new is not None:
            self._tell(seen.new)

    def _tell(self, halt: Halt) -> None:
        for listener in self._listeners:
            listener(halt)


def _is_same(known: Halt | None, metadata: ObjectMeta) -> bool:
    """Whether the halt is known as its metadata says, or newer. Its status does not matter."""
    if known is None or known.metadata.uid != metadata.uid:
        return False
    is_going = metadata.deletion_timestamp is not None
    return known.metadata.generation >= metadata.generation and (known.holds or is_going)
