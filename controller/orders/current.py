"""The orders that there are now, for those who must not start anything against one."""

import asyncio
import time
from collections.abc import Callable
from typing import Generic

import msgspec
import structlog

from controller.orders.conditions import O
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import Forbidden, KubeError, NotFound
from krkn_grpc.kube.index import position_of
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.meta import ObjectMeta, Resource
from krkn_grpc.resources.order import Order
from krkn_grpc.telemetry import metrics
from krkn_grpc.told import told

_EVERY_SECONDS = 2.0
_KNOWN_SECONDS = 10.0
_FIRST_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class StoredOrder(Resource, frozen=True, kw_only=True):
    """An order of which only the metadata is known to be in order; a class for each kind."""

    spec: msgspec.Raw = msgspec.Raw(b"{}")


class CurrentOrders(Generic[O]):
    """The orders of one kind in the namespace.

    The watch reports an order at once. It may also be silent for a minute before its connection
    counts as lost, go on although the account may no longer read orders, and leave out an object
    that does not fit our types. So the orders are listed besides, every two seconds: what is
    listed and was not reported is read by itself.
    """

    def __init__(
        self, kind: type[O], stored: type[StoredOrder], session: Session, namespace: str
    ) -> None:
        """Start without any; the caller runs `cache` and `run`. `stored` is of the same kind."""
        self.plural = kind.KIND.plural
        self.cache = Informer(ResourceClient(session, kind, namespace))
        self._kind = kind
        self._stored = ResourceClient(session, stored, namespace)
        self._listed: float | None = None
        self._is_failing = False
        # Listed, and not reported by the watch.
        self._unreported: dict[str, O] = {}
        self._listeners: list[Callable[[O], None]] = []
        self.cache.listen(self._look)
        metrics.ORDERS.labels(kind.KIND.name).set_function(lambda: len(self.all()))

    def listen(self, listener: Callable[[O], None]) -> None:
        """Call `listener` from now on for each order that is new or has changed or is gone.

        For one whose spec has changed it is called with the old one as well.
        """
        self._listeners.append(listener)

    @property
    def are_known(self) -> bool:
        """Whether they were listed lately, so that none is missing."""
        return self._listed is not None and time.monotonic() - self._listed < _KNOWN_SECONDS

    def all(self) -> tuple[O, ...]:
        """Return the known orders that hold, oldest first."""
        found = [order for order in self.cache.values() if order.holds]
        if self._unreported:
            unreported = self._unreported.values()
            found += [
                order for order in unreported if not self._has(order.metadata) and order.holds
            ]
        return tuple(sorted(found, key=position_of))

    async def still_holds(self, order: O) -> bool:
        """Whether the order still holds, by the API server; raises KubeError."""
        try:
            now = await self.cache.client.get_metadata(order.metadata.name)
        except NotFound:
            return False
        return now.uid == order.metadata.uid and now.deletion_timestamp is None

    async def look_first(self) -> None:
        """List them once, for some seconds at most; `are_known` says whether that went well."""
        try:
            async with asyncio.timeout(_FIRST_SECONDS):
                await self._try()
        except TimeoutError:
            _log.warning(f"{self.plural} not listed in time")

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
                _log.error(f"{self.plural} not listed", error=told(error))
            self._is_failing = True
        else:
            self._listed, self._is_failing = began, False

    async def _list(self) -> None:
        unreported: dict[str, O] = {}
        for metadata in await self.cache.client.list_metadata():
            if self._has(metadata):
                continue
            name, before = metadata.name, self._unreported.get(metadata.name)
            order = before if _is_same(before, metadata) else await self._read(name)
            if order is not None:
                unreported[name] = order
        old, self._unreported = self._unreported, unreported
        for name in old.keys() | unreported.keys():
            self._tell(old.get(name), unreported.get(name))

    async def _read(self, name: str) -> O | None:
        try:
            stored = await self._stored.get(name)
        except NotFound:
            return None
        try:
            content = b'{"metadata":{},"spec":' + bytes(stored.spec) + b"}"
            spec = msgspec.json.decode(content, type=self._kind).spec
        except msgspec.MsgspecError as error:
            _log.error("unreadable object", kind=self.plural, name=name, error=told(error))
            # As it is without any field: it selects everything.
            return self._kind(metadata=stored.metadata)
        return self._kind(metadata=stored.metadata, spec=spec)

    def _has(self, metadata: ObjectMeta) -> bool:
        """Whether the watch has reported the order as it is."""
        return _is_same(self.cache.get(metadata.name), metadata)

    def _look(self, seen: CacheChange[O]) -> None:
        self._tell(seen.old, seen.new)

    def _tell(self, old: O | None, new: O | None) -> None:
        """Tell the listeners; of the old one only if it was more than its status that changed."""
        if old is not None and (new is None or old.spec != new.spec or old.holds != new.holds):
            self._tell_of(old)
        if new is not None and new is not old:
            self._tell_of(new)

    def _tell_of(self, order: O) -> None:
        for listener in self._listeners:
            listener(order)


def _is_same(known: Order | None, metadata: ObjectMeta) -> bool:
    """Whether the order is known as its metadata says, or newer. Its status does not matter."""
    if known is None or known.metadata.uid != metadata.uid:
        return False
    is_going = metadata.deletion_timestamp is not None
    return known.metadata.generation >= metadata.generation and (known.holds or is_going)
