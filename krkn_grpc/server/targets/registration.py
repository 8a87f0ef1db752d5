"""Registers, replaces and removes targets; a crash after any write leaves nothing usable.

    create: target (not admitted) -> reservations -> Secret -> condition Admitted
    update: reservations -> Secret -> spec -> reservations, again -> old reservations released
            -> condition Admitted
    delete: target -> reservations released

A target can be run only while it is admitted for the spec that it has. What a crash leaves
half-made is removed by the controller; the loser of a race removes its own.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from weakref import WeakValueDictionary

import msgspec

from krkn_grpc.admission.reservations import Reservations
from krkn_grpc.admission.under_way import is_registered, mark
from krkn_grpc.kube import errors
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.groups import ALL, Position
from krkn_grpc.kube.store import Store
from krkn_grpc.kube.write import create
from krkn_grpc.resources import ids, kubeconfig, labels
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.target import Target, TargetSpec
from krkn_grpc.server.errors import NoSuch, Unsettled
from krkn_grpc.server.targets.check import NewTarget
from krkn_grpc.server.targets.confirmed import ConfirmedWrites, no_such
from krkn_grpc.server.targets.deletions import Deletions


class Registry:
    """The registered targets: written to the API server, read from the cache and then from it."""

    def __init__(
        self, targets: WatchCache[Target], leases: Store[Lease], secrets: Store[Secret]
    ) -> None:
        """Work on these kinds of objects; Secrets are only ever created."""
        self._cache = targets
        self._deletions = Deletions(targets)
        self._targets = targets.store
        self._secrets = secrets
        self._reservations = Reservations(leases, targets.store)
        self._writes = ConfirmedWrites(targets.store, self._reservations)
        self._updates: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def newest(self, before: Position | None = None) -> Iterable[Target]:
        """Return the targets that this replica knows of, newest first, from `before` on."""
        return filter(is_registered, self._cache.newest(ALL, before))

    async def get(self, uuid: str) -> Target:
        """Return a target; what the cache does not have yet is asked of the API server."""
        _must_be_id(uuid)
        known = self._cache.get(uuid)
        # Another replica may have told its client what is not in this cache yet.
        return known if known is not None and known.is_admitted else await self._registered(uuid)

    async def create(self, new: NewTarget, deadline: Deadline) -> Target:
        """Register a target; raises Taken when its name or its URL has one already."""
        uuid = ids.new_id()
        metadata = ObjectMeta(
            name=uuid, namespace=self._targets.namespace, annotations=mark(datetime.now(UTC))
        )
        wanted = Target(metadata=metadata, spec=_spec(uuid, new))
        target = await create(self._targets, wanted, deadline) or await self._targets.get(uuid)
        try:
            await self._reservations.reserve(target, deadline)
            await create(self._secrets, _secret(target, new), deadline)
            admitted = await self._writes.admit(target, deadline)
        except BaseException as error:
            is_withdrawn = await self._withdraw(target)
            if isinstance(error, NoSuch):
                raise Unsettled("the registration took too long and was removed") from None
            if isinstance(error, errors.NotWritten) and not is_withdrawn:
                # For as long as a part of it is there, the same call would find the name taken.
                raise errors.OutcomeUnknown("a part of the target was written") from error
            raise
        self._cache.remember(admitted)
        return admitted

    async def update(self, uuid: str, new: NewTarget, deadline: Deadline) -> Target:
        """Replace a target's registration; its uuid stays, its old name and URL become free.

        Raises Taken, and leaves the target as it was, when another has the new name or URL.
        """
        _must_be_id(uuid)
        # Updates of one target hinder each other: on one server they go one after the other.
        async with self._updates.setdefault(uuid, asyncio.Lock()):
            return await self._update(uuid, new, deadline)

    async def delete(self, uuid: str, deadline: Deadline) -> Target:
        """Remove a target; its name and URL are free when this returns."""
        _must_be_id(uuid)
        target = await self._registered(uuid)
        with self._deletions.expected(target) as deletion:
            await self._writes.delete(target, deadline)
            self._cache.forget(target)
            await self._reservations.release_all(target)
            return await deletion.seen()

    async def _update(self, uuid: str, new: NewTarget, deadline: Deadline) -> Target:
        spec = _spec(uuid, new)
        old = await self._registered(uuid)
        wanted = msgspec.structs.replace(old, spec=spec)
        taken = await self._reservations.reserve(wanted, deadline)
        try:
            await create(self._secrets, _secret(wanted, new), deadline)
            changed, former = await self._writes.replace(old, spec, taken, deadline)
        except BaseException:
            await self._reservations.release(each for each in taken if each.is_new)
            raise
        # An admission rests on what is reserved after the target says that it needs it.
        await self._reservations.reserve(changed, deadline)
        await self._reservations.release(former)
        admitted = await self._writes.admit(changed, deadline)
        self._cache.remember(admitted)
        return admitted

    async def _registered(self, uuid: str) -> Target:
        """Return the target as it is now; raises NoSuch when clients know of none."""
        try:
            target = await self._targets.get(uuid)
        except errors.NotFound:
            raise no_such() from None
        if not is_registered(target):
            raise no_such()
        return target

    async def _withdraw(self, target: Target) -> bool:
        """Remove what is half-made; False when the controller has to, which it does in a minute."""
        try:
            with suppress(errors.NotFound):
                await self._targets.delete(target.metadata.name, uid=target.metadata.uid)
            await self._reservations.release_all(target)
        except errors.KubeError:
            return False
        return True


def _must_be_id(uuid: str) -> None:
    """Raise NoSuch for what is no id: it names nothing, in a cache, a lock or a path."""
    if not ids.is_id(uuid):
        raise no_such()


def _spec(uuid: str, new: NewTarget) -> TargetSpec:
    return TargetSpec(
        uuid=uuid,
        cluster_name=new.cluster_name,
        cluster_api_url=new.kubeconfig.server,
        secret_type=new.secret_type,
        secret_uuid=ids.random_id(),
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
