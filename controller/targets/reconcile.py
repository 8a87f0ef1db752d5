"""The loop of one target: look, decide, act once; the change that makes brings the next turn."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

import structlog

from controller.jobs import credential
from controller.jobs.model import Refusal
from controller.targets.decide import Admit, Check, Limits, Remove, Wait, decide, pause_after
from controller.targets.memory import Memory
from controller.targets.probe import probe
from controller.targets.probe_limits import ProbeLimits
from controller.targets.probe_network import Resolver
from krkn_grpc.admission import conditions
from krkn_grpc.admission.reservations import Reservations, Taken
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.errors import Conflict, NotFound
from krkn_grpc.kube.store import Store
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.target import Target, TargetStatus

_STALE_SECONDS = 0.2
_RESERVE_SECONDS = 20.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TargetReconciler:
    """Admits targets, checks their clusters, and removes what was never finished."""

    targets: WatchCache[Target]
    secrets: Store[Secret]
    reservations: Reservations
    rules: AddressRules
    resolver: Resolver
    limits: Limits
    probe_limits: ProbeLimits
    memory: Memory

    async def reconcile(self, uuid: str) -> float | None:
        """Do what the target needs now; return the seconds after which to look again, if any."""
        target = self.targets.get(uuid)
        if target is None:
            return None
        step = decide(target, self.memory.past(target), _now(), self.limits)
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
                case _:
                    assert_never(step)
        except (Conflict, NotFound):
            # Not as it was seen: someone else was faster, and the watch will say so.
            return _STALE_SECONDS

    async def _admit(self, target: Target) -> float | None:
        former = await self.reservations.held(self.memory.formerly_held(target), target)
        try:
            await self.reservations.reserve(target, Deadline.within(_RESERVE_SECONDS))
        except Taken as taken:
            self.memory.refused(target)
            status = conditions.refused(target, taken.reason, taken.message, _now())
            # It may still hold one of the two, and a loser keeps neither from others. But only a
            # refusal that is written keeps it from being admitted by someone else meanwhile.
            if await self._write(target, status):
                await self.reservations.release([*taken.kept, *former])
            return self.limits.duplicate_retry_seconds
        await self._write(target, conditions.admitted(target, _now()))
        await self.reservations.release(former)
        _log.info("target admitted", target=target.metadata.name)
        return None

    async def _remove(self, target: Target) -> None:
        metadata = target.metadata
        # As it was seen: not when its server finished it at this very moment.
        await self.targets.store.delete(
            metadata.name, uid=metadata.uid, resource_version=metadata.resource_version
        )
        _log.info("unfinished registration removed", target=metadata.name)
        await self.reservations.release_all(target)

    async def _check(self, target: Target) -> float:
        is_ready, reason, message = await self._look(target)
        failures = self.memory.checked(target, is_ready)
        status = conditions.checked(target, is_ready, reason, message, _now())
        await self._write(target, status)
        return pause_after(is_ready, failures, self.limits)

    async def _look(self, target: Target) -> tuple[bool, str, str]:
        found = await credential.find(self.secrets, target, self.rules)
        if isinstance(found, Refusal):
            return False, found.reason, found.message
        result = await probe(found, self.rules, self.probe_limits, self.resolver)
        return result.ready, result.reason.value, result.message

    async def _write(self, target: Target, status: TargetStatus) -> bool:
        """Write the status, for exactly this version; returns whether there was a change."""
        if status == target.status:
            return False
        written = await self.targets.store.replace_status(target, status)
        self.targets.remember(written)
        return written.metadata.resource_version != target.metadata.resource_version


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
