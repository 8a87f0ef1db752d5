"""Registers, replaces and removes targets; a crash after any write leaves nothing usable.

    create: target (not admitted) -> reservations -> Secret -> condition Admitted
    update: reservations -> Secret -> spec -> reservations, again -> condition Admitted
            -> old reservations released
    delete: target -> reservations released

A target can be run only while it is admitted for the spec that it has. What a crash leaves
half-made is removed by the controller; the loser of a race removes its own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import msgspec

from krkn_grpc.admission import conditions
from krkn_grpc.admission.reservations import Reservations
from krkn_grpc.kube import errors
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.store import Store
from krkn_grpc.kube.write import create
from krkn_grpc.resources import ids, kubeconfig, labels
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.target import Target, TargetSpec
from krkn_grpc.server.errors import Changed, NoSuch, Unsettled
from krkn_grpc.server.targets.check import NewTarget

ABSENT = "there is no such target"


class Registry:
    """The registered targets: written to the API server, read from the cache and then from it."""

    def __init__(
        self, targets: WatchCache[Target], leases: Store[Lease], secrets: Store[Secret]
    ) -> None:
        """Work on these kinds of objects; Secrets are only ever created."""
        self._cache = targets
        self._targets = targets.store
        self._secrets = secrets
        self._reservations = Reservations(leases, targets.store)

    async def get(self, uuid: str) -> Target:
        """Return a target; what the cache does not have yet is asked of the API server."""
        if not ids.is_id(uuid):
            raise NoSuch(ABSENT)
        return self._cache.get(uuid) or await self._get_live(uuid)

    async def create(self, new: NewTarget, deadline: Deadline) -> Target:
        """Register a target; raises Taken when its name or its URL has one already."""
        uuid = ids.new_id()
        metadata = ObjectMeta(
            name=uuid,
            namespace=self._targets.namespace,
            annotations={labels.REGISTERED_BY_SERVER: "true"},
        )
        wanted = Target(metadata=metadata, spec=_spec(uuid, new))
        target = await create(self._targets, wanted, deadline) or await self._get_live(uuid)
        try:
            await self._reservations.reserve(target, deadline)
            await create(self._secrets, _secret(target, new), deadline)
            return await self._admit(target)
        except BaseException:
            await self._withdraw(target)
            raise

    async def update(self, uuid: str, new: NewTarget, deadline: Deadline) -> Target:
        """Replace a target's registration; its uuid stays, its old name and URL become free."""
        if not ids.is_id(uuid):
            raise NoSuch(ABSENT)
        while deadline.remaining > 0:
            old = await self._get_live(uuid)
            changed = msgspec.structs.replace(old, spec=_spec(uuid, new))
            async with self._unused_released(old, changed):
                await self._reservations.reserve(changed, deadline)
                await create(self._secrets, _secret(changed, new), deadline)
                try:
                    changed = await self._targets.replace(changed)
                except errors.NotFound:
                    raise NoSuch(ABSENT) from None
                except errors.Conflict:
                    continue  # Its status changed, or another update came first: look again.
                # Another update of this target may have given up and released meanwhile; from
                # here on nobody does, because the target now names what it holds.
                await self._reservations.reserve(changed, deadline)
                return await self._admit(changed)
        raise Changed("the target was changed by others all the while")

    async def delete(self, uuid: str) -> Target:
        """Remove a target; its name and URL are free when this returns."""
        if not ids.is_id(uuid):
            raise NoSuch(ABSENT)
        target = await self._get_live(uuid)
        try:
            await self._targets.delete(uuid, uid=target.metadata.uid)
        except (errors.NotFound, errors.Conflict):
            raise NoSuch(ABSENT) from None
        self._cache.forget(target)
        # Only now: without its reservations an admitted target would no longer be unique.
        await self._reservations.release_unused(target)
        return target

    async def _get_live(self, uuid: str) -> Target:
        try:
            return await self._targets.get(uuid)
        except errors.NotFound:
            raise NoSuch(ABSENT) from None

    async def _admit(self, target: Target) -> Target:
        """Write that the target, with this spec, holds its reservations."""
        written = target
        while written.spec == target.spec:
            status = conditions.admitted(written, datetime.now(UTC).replace(microsecond=0))
            try:
                written = await self._targets.replace_status(written, status)
            except errors.Conflict:
                written = await self._get_live(target.metadata.name)
            except errors.NotFound:
                raise Unsettled("the registration took too long and was removed") from None
            else:
                self._cache.remember(written)
                return written
        raise Changed("another update of the target came at the same moment")

    @asynccontextmanager
    async def _unused_released(self, *versions: Target) -> AsyncIterator[None]:
        """At the end, whatever it is, release what the target does not need any more."""
        try:
            yield
        finally:
            # What cannot be released now, the controller's sweep releases within a minute.
            with suppress(errors.KubeError):
                await self._reservations.release_unused(*versions)

    async def _withdraw(self, target: Target) -> None:
        try:
            await self._targets.delete(target.metadata.name, uid=target.metadata.uid)
            await self._reservations.release_unused(target)
        except errors.KubeError:
            return  # The controller removes what is half-made within a minute.


def _spec(uuid: str, new: NewTarget) -> TargetSpec:
    return TargetSpec(
        uuid=uuid,
        cluster_name=new.cluster_name,
        cluster_api_url=new.kubeconfig.server,
        secret_type=new.secret_type,
        secret_uuid=ids.new_id(),
        ca_bundle=new.ca_bundle,
        insecure_skip_tls_verify=new.kubeconfig.insecure_skip_tls_verify,
    )


def _secret(target: Target, new: NewTarget) -> Secret:
    return Secret(
        metadata=ObjectMeta(
            name=target.spec.secret_uuid,
            namespace=target.metadata.namespace,
            labels={labels.TARGET_UUID: target.metadata.name},
            owner_references=[owner_of(target)],
        ),
        string_data={kubeconfig.SECRET_KEY: kubeconfig.to_secret_data(new.kubeconfig)},
    )
