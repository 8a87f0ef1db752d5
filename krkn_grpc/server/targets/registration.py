"""Registers, replaces and removes targets; after a crash, no partial target can be run.

    create: target (not admitted) -> reservations -> Secret -> condition Admitted
    update: reservations -> Secret -> spec -> reservations, again -> old reservations released
            -> condition Admitted
    rename: the same, without a Secret
    delete: target -> reservations released

A target can be run only while it is admitted for its current spec. The controller removes what a
crash leaves incomplete; the loser of a race removes its own objects.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from krkn_grpc.kube import errors
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.reservations.in_progress import is_registered, mark
from krkn_grpc.reservations.leases import Reservations, Taken
from krkn_grpc.resources import ids, kubeconfig, well_known
from krkn_grpc.resources.adopted import is_adopted
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.target import Target, TargetSpec
from krkn_grpc.server.deletions import Deletions
from krkn_grpc.server.errors import Adopted, NoSuch, Unsettled
from krkn_grpc.server.limits import CALL_SECONDS
from krkn_grpc.server.targets import changes
from krkn_grpc.server.targets.confirmed import Change, ConfirmedWrites, no_such
from krkn_grpc.server.targets.validate import NewTarget, TargetPatch

_REMEMBERED = timedelta(seconds=CALL_SECONDS)
_LOOK_SECONDS = 0.1


class Registry:
    """The registered targets: written to the API server; read from the cache, else from it."""

    def __init__(
        self,
        targets: Informer[Target],
        leases: ResourceClient[Lease],
        secrets: ResourceClient[Secret],
        clock: Callable[[], datetime],
    ) -> None:
        """Work on these kinds of objects; Secrets are only ever created.

        `clock` is the API server's: the controller compares a request for a check with its own.
        """
        self._clock = clock
        self._cache = targets
        self._deletions = Deletions(targets)
        self._targets = targets.client
        self._secrets = secrets
        self._reservations = Reservations(leases, targets.client)
        self._writes = ConfirmedWrites(targets.client, self._reservations)
        self._updates: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, uuid: str) -> Target:
        """Return a target, from the API server if the cache does not have it as admitted."""
        _must_be_id(uuid)
        # Another replica may have registered it, and this cache may be behind.
        return self.known(uuid) or await self._registered(uuid)

    async def settled(self, uuid: str, until: Deadline) -> Target:
        """Return a target; one that is being changed, when it has been, or at the deadline."""
        target = await self.get(uuid)
        while target.is_changing and until.remaining > 0:
            await asyncio.sleep(_LOOK_SECONDS)
            target = await self.get(uuid)
        return target

    def known(self, uuid: str) -> Target | None:
        """Return a target if the cache has it as admitted."""
        found = self._cache.get(uuid)
        return found if found is not None and found.is_admitted else None

    async def create(self, new: NewTarget, call: str, deadline: Deadline) -> tuple[Target, bool]:
        """Register a target; return it, and whether an earlier attempt of this call created it.

        `call` is the digest of the call, by which a retry finds the target of an earlier attempt.
        Raises Taken when another call's target has the name or the URL.
        """
        while True:
            try:
                return await self._create(new, call, deadline), False
            except Taken:
                earlier = await self._made_by(call, new)
                if earlier is None or deadline.remaining <= 0:
                    raise
            if earlier.is_admitted:
                return earlier, True
            # Its server crashed before the admission, or is still working and will find it deleted.
            with suppress(errors.NotFound, errors.Conflict):
                seen = earlier.metadata
                version = seen.resource_version
                await self._targets.delete(seen.name, uid=seen.uid, resource_version=version)

    async def _made_by(self, call: str, new: NewTarget) -> Target | None:
        """Return the target that an earlier attempt of this call created, else None."""
        for holder in await self._reservations.holders(_spec("", new)):
            made_at = holder.metadata.creation_timestamp
            is_recent = made_at is not None and datetime.now(UTC) - made_at < _REMEMBERED
            if is_recent and holder.metadata.annotations.get(well_known.CALL) == call:
                return holder
        return None

    async def _create(self, new: NewTarget, call: str, deadline: Deadline) -> Target:
        uuid = ids.new_id()
        metadata = ObjectMeta(
            name=uuid,
            namespace=self._targets.namespace,
            labels=dict(new.labels),
            annotations=mark(datetime.now(UTC)) | {well_known.CALL: call},
        )
        wanted = Target(metadata=metadata, spec=_spec(uuid, new))
        target = await create_until_known(
            self._targets, wanted, deadline
        ) or await self._targets.get(uuid)
        try:
            await self._reservations.reserve(target, deadline)
            await create_until_known(self._secrets, _secret(target, new), deadline)
            admitted = await self._writes.admit(target, deadline)
        except BaseException as error:
            is_withdrawn = await self._withdraw(target)
            if isinstance(error, NoSuch):
                raise Unsettled("the registration took too long and was removed") from None
            if isinstance(error, errors.NotWritten) and not is_withdrawn:
                # While a part of it exists, a retry would find the name taken.
                raise errors.OutcomeUnknown("a part of the target was written") from error
            raise
        self._cache.remember(admitted)
        return admitted

    async def update(self, uuid: str, new: NewTarget, deadline: Deadline) -> Target:
        """Replace a target's registration; keep its uuid, and release its old name and URL.

        Raises Taken, and leaves the target as it was, when another has the new name or URL; Adopted
        for one of another provider.
        """
        async with self._turn(uuid):
            old = _own(await self._registered(uuid))
            return await self._change(old, changes.replaced(_spec(uuid, new), new), deadline, new)

    async def patch(self, uuid: str, patch: TargetPatch, deadline: Deadline) -> Target:
        """Change labels, name or limit; keep all else, and release the old name.

        Raises Taken, and leaves the target as it was, when another has the new name; InvalidRequest
        for too many labels; Adopted for one of another provider.
        """
        async with self._turn(uuid):
            old = _own(await self._registered(uuid))
            change = changes.patched(patch)
            if patch.changes_spec:
                return await self._change(old, change, deadline)
            changed = await self._writes.note(old, change, deadline)
            self._cache.remember(changed)
            return changed

    async def check(self, uuid: str, deadline: Deadline) -> Target:
        """Ask the controller to check the target's cluster, unless it was asked seconds ago."""
        _must_be_id(uuid)
        change = changes.check_requested(self._clock())
        known = self._cache.get(uuid)
        if known is not None and known.is_admitted and change(known) is known:
            return known
        async with self._turn(uuid):
            changed = await self._writes.note(await self._registered(uuid), change, deadline)
            self._cache.remember(changed)
            return changed

    async def delete(self, uuid: str, deadline: Deadline) -> Target:
        """Remove a target; its name and URL are free when this returns.

        Raises Adopted for one of another provider.
        """
        _must_be_id(uuid)
        target = _own(await self._registered(uuid))
        with self._deletions.expected(target) as deletion:
            await self._writes.delete(target, deadline)
            self._cache.forget(target)
            await self._reservations.release_all(target)
            return await deletion.seen()

    def _turn(self, uuid: str) -> asyncio.Lock:
        """Return the lock of a target: one server makes its changes one after the other.

        Concurrent ones would conflict. Raises NoSuch for a malformed id.
        """
        _must_be_id(uuid)
        return self._updates.setdefault(uuid, asyncio.Lock())

    async def _change(
        self, old: Target, change: Change, deadline: Deadline, new: NewTarget | None = None
    ) -> Target:
        """Change a target, its name and URL among it, and with `new` its credential."""
        wanted = change(old)
        taken = await self._reservations.reserve(wanted, deadline)
        try:
            if new is not None:
                await create_until_known(self._secrets, _secret(wanted, new), deadline)
            changed, former = await self._writes.replace(old, change, taken, deadline)
        except BaseException:
            await self._reservations.release(each for each in taken if each.is_new)
            raise
        # An admission is valid only with reservations taken after the spec was written.
        await self._reservations.reserve(changed, deadline)
        await self._reservations.release(former)
        admitted = await self._writes.admit(changed, deadline)
        self._cache.remember(admitted)
        return admitted

    async def _registered(self, uuid: str) -> Target:
        """Return the target from the API server; raises NoSuch when it is not registered."""
        try:
            target = await self._targets.get(uuid)
        except errors.NotFound:
            raise no_such() from None
        if not is_registered(target):
            raise no_such()
        return target

    async def _withdraw(self, target: Target) -> bool:
        """Remove an incomplete target; False on failure: the controller removes it in a minute."""
        try:
            with suppress(errors.NotFound):
                await self._targets.delete(target.metadata.name, uid=target.metadata.uid)
            await self._reservations.release_all(target)
        except errors.KubeError:
            return False
        return True


def _must_be_id(uuid: str) -> None:
    """Raise NoSuch for a malformed id before it becomes a cache key, lock name or URL path."""
    if not ids.is_id(uuid):
        raise no_such()


def _own(target: Target) -> Target:
    """Return the target; raises Adopted for one of another provider, which would write it again."""
    if is_adopted(target):
        raise Adopted("the target is adopted from another provider, which alone changes it")
    return target


def _spec(uuid: str, new: NewTarget) -> TargetSpec:
    return TargetSpec(
        uuid=uuid,
        cluster_name=new.cluster_name,
        cluster_api_url=new.kubeconfig.server,
        secret_type=new.secret_type,
        secret_uuid=ids.random_id(),
        ca_bundle=new.ca_bundle,
        insecure_skip_tls_verify=new.kubeconfig.insecure_skip_tls_verify,
        max_concurrent_jobs=new.max_concurrent_jobs,
    )


def _secret(target: Target, new: NewTarget) -> Secret:
    return Secret(
        metadata=ObjectMeta(
            name=target.spec.secret_uuid,
            namespace=target.metadata.namespace,
            labels={well_known.TARGET_UUID: target.metadata.name},
            owner_references=[owner_of(target)],
        ),
        string_data={kubeconfig.SECRET_KEY: kubeconfig.to_secret_data(new.kubeconfig)},
    )
