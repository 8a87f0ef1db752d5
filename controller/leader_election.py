"""Leader election: of several controllers only the holder of the Lease acts.

The Lease is not a fence: a leader that was frozen may still write once when it resumes. That does
no harm, because every write states what it expects to find. Clocks of different machines are
never compared: a Lease has expired when it was seen unchanged for its whole duration, and a
leader gives up when it could not renew its Lease for a little less than that.

Not kubernetes.aio.leaderelection: it compares wall clocks, does not release the Lease at shutdown,
has no deadline per call, and keeps leading after its task has failed.
"""

import asyncio
import contextlib
import math
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import structlog

from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from krkn_grpc.resources.core import Lease, LeaseSpec, micro_time
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.names import CONTROLLER_LEASE
from krkn_grpc.telemetry import metrics
from krkn_grpc.told import told

_log = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Terms:
    """The duration of the Lease, after which a dead leader is replaced, and derived periods."""

    lease_seconds: float = 8.0

    @property
    def renew_seconds(self) -> float:
        """Interval at which the leader renews its Lease."""
        return self.lease_seconds / 4

    @property
    def renew_deadline_seconds(self) -> float:
        """Time without renewal after which the leader stops acting: before another one starts."""
        return self.lease_seconds * 3 / 4

    @property
    def retry_period_seconds(self) -> float:
        """Interval at which the other processes check whether the Lease is free."""
        return self.lease_seconds / 8


@dataclass
class _Held:
    """The Lease of this process as it was last written."""

    lease: Lease


@dataclass(frozen=True)
class _Sight:
    """A version of another process's Lease, and when it was first seen (monotonic seconds)."""

    version: str
    since: float


class Leadership:
    """One process's participation in the leader election."""

    def __init__(self, leases: ResourceClient[Lease], terms: Terms) -> None:
        """Take part with an identity that is unique to this process."""
        self._leases = leases
        self._terms = terms
        self._me = f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4()}"
        self._others: _Sight | None = None
        self._is_leader = metrics.IS_LEADER.labels(CONTROLLER_LEASE)

    async def run(self, work: Work, farewell: Work) -> None:
        """Run `work` whenever this process is the leader, until cancelled.

        When the Lease is lost, the work is cancelled and its end awaited. The same happens when
        this call is cancelled; then `farewell` runs, and the Lease is released at once.
        """
        while True:
            held = _Held(await self._acquire())
            _log.info("leading", identity=self._me)
            metrics.LEADER_TRANSITIONS.inc()
            try:
                await self._lead(held, work)
            except asyncio.CancelledError:
                await self._in_time(farewell())
                await self._in_time(self._release())
                raise
            _log.warning("not leading any more", identity=self._me)

    async def _lead(self, held: _Held, work: Work) -> None:
        working = asyncio.ensure_future(work())
        renewing = asyncio.ensure_future(self._renew(held))
        self._is_leader.set(1)
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (working, renewing):
                task.cancel()
            await asyncio.wait({working, renewing})
            # Before the release: no scrape may show two leaders.
            self._is_leader.set(0)
        for task in (working, renewing):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _acquire(self) -> Lease:
        while True:
            with contextlib.suppress(AlreadyExists, Conflict):
                try:
                    async with asyncio.timeout(self._terms.lease_seconds):
                        if (held := await self._try()) is not None:
                            return held
                except (KubeError, TimeoutError) as error:
                    _log.info("cannot look at the lease", error=told(error))
            await asyncio.sleep(self._terms.retry_period_seconds)

    async def _try(self) -> Lease | None:
        """Try to take the Lease; return it if this process holds it now."""
        try:
            lease = await self._leases.get(CONTROLLER_LEASE)
        except NotFound:
            metadata = ObjectMeta(name=CONTROLLER_LEASE, namespace=self._leases.namespace)
            return await self._leases.create(Lease(metadata=metadata, spec=self._claim(None)))
        holder = lease.spec.holder_identity
        if holder and holder != self._me and not self._has_run_out(lease):
            return None
        return await self._leases.replace(
            msgspec.structs.replace(lease, spec=self._claim(lease.spec))
        )

    def _has_run_out(self, lease: Lease) -> bool:
        version = lease.metadata.resource_version
        if self._others is None or self._others.version != version:
            self._others = _Sight(version, time.monotonic())
        return time.monotonic() - self._others.since >= self._terms.lease_seconds

    async def _renew(self, held: _Held) -> None:
        """Renew the Lease until it is lost."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(self._terms.renew_seconds)
            left = renewed + self._terms.renew_deadline_seconds - time.monotonic()
            if left <= 0:
                return
            began = time.monotonic()
            try:
                async with asyncio.timeout(left):
                    if not await self._renew_once(held):
                        return
                renewed = began
            except (KubeError, TimeoutError) as error:
                _log.warning("lease not renewed", error=told(error))

    async def _renew_once(self, held: _Held) -> bool:
        """Renew the Lease; return whether this process still holds it."""
        spec = msgspec.structs.replace(held.lease.spec, renew_time=_now())
        try:
            held.lease = await self._leases.replace(msgspec.structs.replace(held.lease, spec=spec))
        except Conflict:
            # Our own renewal that was thought lost, or another process's write.
            held.lease = await self._leases.get(CONTROLLER_LEASE)
            return held.lease.spec.holder_identity == self._me
        except NotFound:
            return False
        return True

    async def _release(self) -> None:
        """Release the Lease, so that another process can take it at once."""
        # Read again: a renewal may have been in progress when the work ended.
        lease = await self._leases.get(CONTROLLER_LEASE)
        if lease.spec.holder_identity == self._me:
            spec = msgspec.structs.replace(lease.spec, holder_identity="", renew_time=_now())
            await self._leases.replace(msgspec.structs.replace(lease, spec=spec))

    async def _in_time(self, last: Awaitable[None]) -> None:
        """Do one of the last steps, for at most half a Lease: the API server may be unreachable."""
        try:
            async with asyncio.timeout(self._terms.lease_seconds / 2):
                await last
        except (KubeError, TimeoutError) as error:
            _log.info("left without a farewell, the lease will run out", error=told(error))

    def _claim(self, former: LeaseSpec | None) -> LeaseSpec:
        now = _now()
        return LeaseSpec(
            holder_identity=self._me,
            lease_duration_seconds=math.ceil(self._terms.lease_seconds),
            acquire_time=now,
            renew_time=now,
            lease_transitions=0 if former is None else (former.lease_transitions or 0) + 1,
        )


def _now() -> datetime:
    return micro_time(datetime.now(UTC))
