"""Sees every state that targets go through, and says when two had one cluster at one moment."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.index import ALL, everything
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.reservations.leases import held_by
from krkn_grpc.resources import well_known
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.kubeconfig import normalise_url
from krkn_grpc.resources.names import is_reservation
from krkn_grpc.resources.target import Target
from tests.support.waiting import eventually


@dataclass
class Watched:
    """The targets of a namespace, seen by the administrator, with each change in its order."""

    cache: Informer[Target]
    leases: ResourceClient[Lease]
    secrets: ResourceClient[Secret]
    faults: list[str] = field(default_factory=list)

    def admitted(self) -> list[Target]:
        """Return the targets that are admitted now, as far as the watch has come."""
        return [target for target in self.cache.seen(ALL)[0] if target.is_admitted]

    async def live(self) -> list[Target]:
        """Return all targets, as the API server has them now."""
        return (await self.cache.client.list()).items

    def assert_never_doubled(self) -> None:
        """Assert that at no moment two admitted targets had one name or one URL."""
        assert not self.faults

    async def until_tidy(self, *, seconds: float = 30.0) -> None:
        """Wait until there is nothing but admitted targets, each with its Secret and two Leases."""
        await eventually(self._mess, lambda mess: not any(mess.values()), seconds=seconds)
        self.assert_never_doubled()

    async def _mess(self) -> dict[str, set[str]]:
        targets = await self.live()
        admitted = [target for target in targets if target.is_admitted]
        secrets = await self.secrets.list_metadata(
            labels=f"{well_known.TARGET_UUID},!{well_known.APP}"
        )
        leases = await self.leases.list_metadata()
        held = {lease.name for lease in leases if is_reservation(lease.name)}
        needed = {name for target in admitted for name in held_by(target)}
        named = {target.spec.secret_uuid for target in admitted}
        return {
            "not admitted": {t.metadata.name for t in targets if not t.is_admitted},
            "orphan leases": held - needed,
            "missing leases": needed - held,
            "orphan Secrets": {secret.name for secret in secrets} - named,
            "missing Secrets": named - {secret.name for secret in secrets},
        }

    def look(self, seen: CacheChange[Target]) -> None:
        """Look at the state after one change."""
        for what, count in _counted(self.admitted()).items():
            if count > 1:
                self.faults.append(f"{count} admitted targets have {what} at {seen.revision}")


def _counted(admitted: list[Target]) -> Counter[str]:
    found = Counter(f"the name {target.spec.cluster_name}" for target in admitted)
    found.update(f"the URL {normalise_url(target.spec.cluster_api_url)}" for target in admitted)
    return found


@contextlib.asynccontextmanager
async def watching(kubeconfig: Path, namespace: str) -> AsyncIterator[Watched]:
    """Watch the targets of a namespace."""
    async with Session(await ClusterAccess.load(kubeconfig)) as session:
        cache = Informer(ResourceClient(session, Target, namespace), index_func=everything)
        watched = Watched(
            cache,
            ResourceClient(session, Lease, namespace),
            ResourceClient(session, Secret, namespace),
        )
        cache.listen(watched.look)
        task = asyncio.create_task(cache.run())
        try:
            await cache.synced()
            yield watched
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
