"""Removes what targets left behind: Secrets of former credentials, reservations of nobody.

A registration that is under way has written a Secret or a reservation that its target does not
name yet; so only what nobody has needed for longer than any registration may take is removed. A
Secret that a target was seen to name before goes sooner, because no name is ever given again.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from cachetools import LRUCache

from controller.sweeping import keep_sweeping
from krkn_grpc.admission.reservations import Reservations, held_by
from krkn_grpc.kube.cache import Seen, WatchCache
from krkn_grpc.kube.errors import Conflict, NotFound, Unreadable
from krkn_grpc.kube.paths import BadName
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import labels
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.names import is_reservation
from krkn_grpc.resources.target import Target

_log = structlog.get_logger(__name__)

# A standby takes note of them too, and nobody takes them off there.
_MOST_FORMER = 1_024


@dataclass
class Spare:
    """What seems to be unneeded, and since when this process sees it so, by its own clock."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    _since: dict[tuple[str, str], float] = field(default_factory=dict)

    def of(self, unneeded: list[ObjectMeta]) -> list[ObjectMeta]:
        """Return those that were unneeded, and unchanged, each time for longer than `seconds`."""
        now = self.clock()
        self._since = {key: self._since.get(key, now) for key in map(_version, unneeded)}
        return [each for each in unneeded if now - self._since[_version(each)] > self.seconds]


@dataclass(frozen=True)
class Sweep:
    """Looks at all Secrets and reservations of targets, at intervals."""

    targets: WatchCache[Target]
    secrets: Store[Secret]
    leases: Store[Lease]
    reservations: Reservations
    every_seconds: float
    old_secrets: Spare
    old_leases: Spare
    _former: LRUCache[str, None] = field(default_factory=lambda: LRUCache(_MOST_FORMER))

    def look(self, seen: Seen[Target]) -> None:
        """Take note of the Secret that a target names no more."""
        if seen.old is None or seen.new is None:
            return
        if (former := seen.old.spec.secret_uuid) != seen.new.spec.secret_uuid:
            self._former[former] = None

    async def run(self) -> None:
        """Sweep until cancelled; a failure is tried again the next time."""
        await keep_sweeping(self.once, self.every_seconds)

    async def once(self) -> None:
        """Remove what nobody has needed for long enough."""
        credentials = await self.secrets.list_metadata(labels=f"{labels.TARGET_UUID},!{labels.APP}")
        unnamed = [secret for secret in credentials if not self._is_named(secret)]
        present = {secret.name for secret in credentials}
        for gone in self._former.keys() - present:
            del self._former[gone]
        replaced = [secret for secret in unnamed if self._is_replaced(secret, present)]
        for secret in (*replaced, *self.old_secrets.of(unnamed)):
            with suppress(NotFound, Conflict):
                if not await self._is_in_use(secret):
                    await self.secrets.delete(secret.name, uid=secret.uid)
                    _log.info("old credential removed", target=secret.labels[labels.TARGET_UUID])
        leases = await self.leases.list_metadata(labels=labels.TARGET_UUID)
        unheld = [each for each in leases if is_reservation(each.name) and not self._is_held(each)]
        for lease in self.old_leases.of(unheld):
            await self.reservations.release_if_unused(lease.name)

    def _is_named(self, secret: ObjectMeta) -> bool:
        known = self.targets.get(secret.labels[labels.TARGET_UUID])
        return known is not None and known.spec.secret_uuid == secret.name

    def _is_replaced(self, secret: ObjectMeta, present: set[str]) -> bool:
        """Whether the target named this Secret once, and has another one now.

        Where the other one does not exist, somebody may have mistyped it and take it back.
        """
        known = self.targets.get(secret.labels[labels.TARGET_UUID])
        return (
            secret.name in self._former and known is not None and known.spec.secret_uuid in present
        )

    async def _is_in_use(self, secret: ObjectMeta) -> bool:
        """Whether a target names this Secret by now, or it is not one of ours to judge."""
        owners = {owner.uid for owner in secret.owner_references}
        try:
            target = await self.targets.store.get(secret.labels[labels.TARGET_UUID])
        except NotFound:
            return not owners  # With an owner that is gone, it is garbage.
        except (BadName, Unreadable):
            return True
        return target.metadata.uid not in owners or target.spec.secret_uuid == secret.name

    def _is_held(self, lease: ObjectMeta) -> bool:
        known = self.targets.get(lease.labels[labels.TARGET_UUID])
        return known is not None and lease.name in held_by(known)


def _version(metadata: ObjectMeta) -> tuple[str, str]:
    return metadata.uid, metadata.resource_version
