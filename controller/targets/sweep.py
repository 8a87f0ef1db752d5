"""Removes what targets left behind: Secrets of former credentials, reservations of nobody.

A registration that is under way has written a Secret or a reservation that its target does not
name yet; so only what is older than any registration may take is looked at.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from krkn_grpc.admission.reservations import Reservations, held_by
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.errors import Conflict, KubeError, NotFound
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import labels
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.names import is_reservation
from krkn_grpc.resources.target import Target

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sweep:
    """Looks at all Secrets and reservations of targets, at intervals."""

    targets: WatchCache[Target]
    secrets: Store[Secret]
    leases: Store[Lease]
    reservations: Reservations
    every_seconds: float = 15.0
    spare_seconds: float = 40.0

    async def run(self) -> None:
        """Sweep until cancelled; a failure is tried again the next time."""
        while True:
            try:
                await self.once()
            except KubeError as error:
                _log.warning("sweep failed", error=str(error))
            await asyncio.sleep(self.every_seconds)

    async def once(self) -> None:
        """Remove what nobody needs now."""
        credentials = f"{labels.TARGET_UUID},!{labels.APP}"
        for secret in await self.secrets.list_metadata(labels=credentials):
            if self._is_old(secret) and not await self._is_in_use(secret):
                with contextlib.suppress(NotFound, Conflict):
                    await self.secrets.delete(secret.name, uid=secret.uid)
                    _log.info("old credential removed", target=secret.labels[labels.TARGET_UUID])
        for lease in await self.leases.list_metadata(labels=labels.TARGET_UUID):
            if self._is_old(lease) and is_reservation(lease.name) and not self._is_held(lease):
                await self.reservations.release_if_unused(lease.name)

    async def _is_in_use(self, secret: ObjectMeta) -> bool:
        """Whether a target names this Secret, or it is not one of ours to judge."""
        uuid = secret.labels[labels.TARGET_UUID]
        known = self.targets.get(uuid)
        if known is not None and known.spec.secret_uuid == secret.name:
            return True
        owners = {owner.uid for owner in secret.owner_references}
        try:
            target = await self.targets.store.get(uuid)
        except NotFound:
            return not owners  # With an owner that is gone, it is garbage.
        except ValueError:
            return True
        return target.metadata.uid not in owners or target.spec.secret_uuid == secret.name

    def _is_held(self, lease: ObjectMeta) -> bool:
        """Whether a target is known that needs the reservation; if not, it is looked up."""
        known = self.targets.get(lease.labels[labels.TARGET_UUID])
        return known is not None and lease.name in held_by(known)

    def _is_old(self, metadata: ObjectMeta) -> bool:
        created = metadata.creation_timestamp
        spare = timedelta(seconds=self.spare_seconds)
        return created is not None and datetime.now(UTC) - created > spare
