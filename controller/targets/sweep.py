"""Removes leftovers of targets: Secrets of former credentials, unused reservations.

A registration in progress has written a Secret or a reservation that its target does not name
yet; so only objects unneeded for longer than any registration may take are removed. A Secret that
a target named before is removed sooner, because names of Secrets are never reused.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from cachetools import LRUCache

from controller.sweeping import keep_sweeping
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import Conflict, NotFound, Unreadable
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.paths import BadName
from krkn_grpc.reservations.leases import Reservations, held_by
from krkn_grpc.resources import well_known
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.names import is_reservation
from krkn_grpc.resources.target import Target
from krkn_grpc.telemetry import metrics

_log = structlog.get_logger(__name__)

# A standby records them too, and never removes them.
_MOST_FORMER = 1_024


@dataclass
class GracePeriod:
    """The objects that seem unneeded, and since when, by this process's own clock."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _since: dict[tuple[str, str], float] = field(default_factory=dict)

    def of(self, unneeded: list[ObjectMeta]) -> list[ObjectMeta]:
        """Return the objects that were unneeded and unchanged in every call for over `seconds`."""
        now = self.clock()
        self._since = {key: self._since.get(key, now) for key in map(_version, unneeded)}
        return [each for each in unneeded if now - self._since[_version(each)] > self.seconds]


@dataclass(frozen=True)
class Sweep:
    """Checks all Secrets and reservations of targets, at intervals."""

    targets: Informer[Target]
    secrets: ResourceClient[Secret]
    leases: ResourceClient[Lease]
    reservations: Reservations
    every_seconds: float
    old_secrets: GracePeriod
    old_leases: GracePeriod
    _former: LRUCache[str, None] = field(default_factory=lambda: LRUCache(_MOST_FORMER))

    def look(self, seen: CacheChange[Target]) -> None:
        """Record the Secret that a target no longer names."""
        if seen.old is None or seen.new is None:
            return
        if (former := seen.old.spec.secret_uuid) != seen.new.spec.secret_uuid:
            self._former[former] = None

    async def run(self) -> None:
        """Sweep until cancelled; the next sweep retries what failed."""
        await keep_sweeping(self.once, self.every_seconds)

    async def once(self) -> None:
        """Remove Secrets and reservations that were unneeded for long enough."""
        credentials = await self.secrets.list_metadata(
            labels=f"{well_known.TARGET_UUID},!{well_known.APP}"
        )
        unnamed = [secret for secret in credentials if not self._is_named(secret)]
        present = {secret.name for secret in credentials}
        for gone in self._former.keys() - present:
            del self._former[gone]
        replaced = [secret for secret in unnamed if self._is_replaced(secret, present)]
        for secret in (*replaced, *self.old_secrets.of(unnamed)):
            with suppress(NotFound, Conflict):
                if not await self._is_in_use(secret):
                    await self.secrets.delete(secret.name, uid=secret.uid)
                    metrics.SWEPT.labels("Secret").inc()
                    _log.info(
                        "old credential removed", target=secret.labels[well_known.TARGET_UUID]
                    )
        leases = await self.leases.list_metadata(labels=well_known.TARGET_UUID)
        unheld = [each for each in leases if is_reservation(each.name) and not self._is_held(each)]
        for lease in self.old_leases.of(unheld):
            if await self.reservations.release_if_unused(lease.name):
                metrics.SWEPT.labels("Lease").inc()

    def _is_named(self, secret: ObjectMeta) -> bool:
        known = self.targets.get(secret.labels[well_known.TARGET_UUID])
        return known is not None and known.spec.secret_uuid == secret.name

    def _is_replaced(self, secret: ObjectMeta, present: set[str]) -> bool:
        """Whether the target named this Secret before, and names another existing one now.

        If the other one does not exist, it may be a typing error that will be reverted.
        """
        known = self.targets.get(secret.labels[well_known.TARGET_UUID])
        return (
            secret.name in self._former and known is not None and known.spec.secret_uuid in present
        )

    async def _is_in_use(self, secret: ObjectMeta) -> bool:
        """Whether a target names this Secret by now, or it may belong to another owner."""
        owners = {owner.uid for owner in secret.owner_references}
        try:
            target = await self.targets.client.get(secret.labels[well_known.TARGET_UUID])
        except NotFound:
            return not owners  # If its owner is gone, it is garbage.
        except (BadName, Unreadable):
            return True
        return target.metadata.uid not in owners or target.spec.secret_uuid == secret.name

    def _is_held(self, lease: ObjectMeta) -> bool:
        known = self.targets.get(lease.labels[well_known.TARGET_UUID])
        return known is not None and lease.name in held_by(known)


def _version(metadata: ObjectMeta) -> tuple[str, str]:
    return metadata.uid, metadata.resource_version
