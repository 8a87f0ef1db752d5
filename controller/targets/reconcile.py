"""Reconciles one target: observe, decide, act once; the resulting change queues it again."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import structlog

from controller import credentials
from controller.events import EventRecorder
from controller.reason import Reason
from controller.resolver import Resolver
from controller.targets import counting
from controller.targets.counting import TargetCounts
from controller.targets.decide import (
    Admit,
    Check,
    Limits,
    Remove,
    Wait,
    Withhold,
    decide,
    pause_after,
)
from controller.targets.events import event_for
from controller.targets.own_cluster import OwnCluster
from controller.targets.probe import identity, probe, version
from controller.targets.probe.limits import ProbeLimits
from controller.targets.retry_state import RetryState
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import Conflict, Invalid, NotFound
from krkn_grpc.kube.informer import Informer
from krkn_grpc.reservations.leases import Reservations, Taken
from krkn_grpc.resources import target_conditions
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.adopted import is_adopted
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.target import PROVIDER_GONE, Target, TargetStatus

_STALE_SECONDS = 0.2
_RESERVE_SECONDS = 20.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Found:
    """What a check found; `server_version` is None when the cluster was not asked, or silent."""

    is_ready: bool
    reason: str
    message: str
    server_version: str | None = None


@dataclass(frozen=True)
class TargetReconciler:
    """Admits targets, checks their clusters, and removes unfinished registrations."""

    targets: Informer[Target]
    secrets: ResourceClient[Secret]
    reservations: Reservations
    rules: AddressRules
    resolver: Resolver
    limits: Limits
    probe_limits: ProbeLimits
    memory: RetryState
    counts: TargetCounts
    own_cluster: OwnCluster
    events: EventRecorder
    clock: Callable[[], datetime]
    """The time as the API server has it."""

    async def reconcile(self, uuid: str) -> float | None:
        """Do the target's next step; return the seconds until the next reconcile, if any."""
        target = self.targets.get(uuid)
        if target is None:
            return None
        step = decide(target, self.memory.past(target), self._now(), self.limits)
        try:
            match step:
                case Wait(seconds):
                    return seconds
                case Admit():
                    return await self._admit(target)
                case Remove():
                    await self._remove(target)
                    return None
                case Check():
                    return await self._check(target)
                case Withhold(message):
                    await self._write(
                        target,
                        target_conditions.checked(
                            target, False, PROVIDER_GONE, message, self._now()
                        ),
                    )
                    return None
                case _:
                    assert_never(step)
        except (Conflict, NotFound):
            # Not as it was seen: another writer was faster, and the watch will report it.
            return _STALE_SECONDS

    async def _admit(self, target: Target) -> float | None:
        former = await self.reservations.held(self.memory.formerly_held(target), target)
        try:
            await self.reservations.reserve(target, Deadline.within(_RESERVE_SECONDS))
        except Taken as taken:
            self.memory.refused(target)
            status = target_conditions.refused(target, taken.reason, taken.message, self._now())
            # It may still hold one of the two, which a refused target must release. But only a
            # written refusal prevents that another process admits it meanwhile.
            if await self._write(target, status):
                await self.reservations.release([*taken.kept, *former])
            return self.limits.duplicate_retry_seconds
        await self._write(target, target_conditions.admitted(target, self._now()))
        await self.reservations.release(former)
        _log.info("target admitted", target=target.metadata.name)
        return None

    async def _remove(self, target: Target) -> None:
        metadata = target.metadata
        # Only at the version seen: its server may have finished it at this very moment.
        await self.targets.client.delete(
            metadata.name, uid=metadata.uid, resource_version=metadata.resource_version
        )
        _log.info("unfinished registration removed", target=metadata.name)
        await self.reservations.release_all(target)

    async def _check(self, target: Target) -> float:
        found = await self._look(target)
        failures = self.memory.checked(target, found.is_ready)
        self.counts.checked(target.metadata.name)
        status = target_conditions.checked(
            target,
            found.is_ready,
            found.reason,
            found.message,
            self._now(),
            server_version=found.server_version,
        )
        await self._write(target, status)
        self.memory.answered(target)
        return pause_after(found.is_ready, failures, self.limits)

    async def _look(self, target: Target) -> _Found:
        found = await credentials.find(self.secrets, target, self.rules)
        if isinstance(found, Reason):
            return _Found(False, found.reason, found.message)
        asked = found, self.rules, self.probe_limits, self.resolver
        began = time.perf_counter()
        result = await probe(*asked)
        counting.probed(result.reason, time.perf_counter() - began)
        if result.ready and is_adopted(target):
            theirs = await identity(*asked)
            if (refusal := await self.own_cluster.refusal(theirs)) is not None:
                return _Found(False, refusal.reason, refusal.message)
        told = None
        if result.ready and self.memory.version_is_due(target):
            told = await version(*asked)
        return _Found(result.ready, result.reason.value, result.message, told)

    async def _write(self, target: Target, status: TargetStatus) -> bool:
        """Write the status, for exactly this version; return whether it changed."""
        if status == target.status:
            return False
        try:
            written = await self.targets.client.replace_status(target, status)
        except Invalid as error:
            plain = target_conditions.plain(status)
            if plain == status:
                raise
            _log.warning("status refused", target=target.metadata.name, error=str(error))
            written = await self.targets.client.replace_status(target, plain)
        self.targets.remember(written)
        self.events.announce_if_idle(event_for(target, written, self.clock()))
        return written.metadata.resource_version != target.metadata.resource_version

    def _now(self) -> datetime:
        return self.clock().replace(microsecond=0)
