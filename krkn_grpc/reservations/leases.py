"""Two Leases reserve a target's name and URL; the API server creates each of them only once.

Listing first and creating then is a race between replicas. A Lease named by the hash of the unique
value can be created by only one of them. The target owns it by uid, so it never outlives the target
for long. The rules are in the package's docstring.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from krkn_grpc.kube import errors, paths
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.core import Lease, LeaseSpec, micro_time
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.target import Target, TargetSpec


@dataclass(frozen=True)
class Reservation:
    """One Lease that a target holds, in the version in which it was taken.

    `is_new` is True if it was created then, and False if the target had it already.
    """

    name: str
    uid: str
    version: str
    is_new: bool


class Taken(Exception):
    """Another target has the name or the URL; `reason` says which in one word.

    `kept` are the reservations that the target had before and still has.
    """

    def __init__(self, reason: str, message: str, kept: Iterable[Reservation] = ()) -> None:
        """Keep reason and message for the caller or the target's condition."""
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.kept = tuple(kept)


class Reservations:
    """Takes and releases the names and URLs of targets."""

    def __init__(self, leases: ResourceClient[Lease], targets: ResourceClient[Target]) -> None:
        """Store the reservations in `leases`; their holders are in `targets`."""
        self._leases = leases
        self._targets = targets

    async def reserve(self, target: Target, deadline: Deadline) -> list[Reservation]:
        """Reserve the target's name and URL for it, also if it has them already.

        Raises Taken when another target has either, and OutcomeUnknown when the deadline passed
        first; reservations created until then are released.
        """
        held: list[Reservation] = []
        async with self._new_released_on_failure(held):
            for name, reason, message in _wanted(target):
                taken = await self._take(name, target, deadline)
                if taken is None:
                    raise Taken(reason, message, [each for each in held if not each.is_new])
                held.append(taken)
        return held

    async def held(self, names_of_leases: Iterable[str], target: Target) -> list[Reservation]:
        """Return those of the reservations that belong to the target, in their current version."""
        found = []
        for name in names_of_leases:
            with suppress(errors.NotFound):
                lease = await self._leases.get(name)
                if lease.metadata.is_owned_by(target.metadata.uid):
                    found.append(_reservation(lease, is_new=False))
        return found

    async def holders(self, spec: TargetSpec) -> list[Target]:
        """Return the targets that hold the name or the URL of this spec now."""
        found = []
        for name in _needed(spec):
            with suppress(errors.NotFound):
                if (holder := await self._holder(await self._leases.get(name))) is not None:
                    found.append(holder)
        return found

    async def release(self, reservations: Iterable[Reservation]) -> None:
        """Release these reservations, except those that were taken again since.

        Never fails: the controller's sweep releases the remaining ones within a minute.
        """
        for each in reservations:
            with suppress(errors.KubeError):
                await self._leases.delete(each.name, uid=each.uid, resource_version=each.version)

    async def release_all(self, deleted: Target) -> None:
        """Release the reservations of a deleted target.

        They are free already, because their holder is gone; this only saves a later cleanup. So
        it never fails.
        """
        with suppress(errors.KubeError):
            await self.release(await self.held(held_by(deleted), deleted))

    async def release_if_unused(self, name: str) -> bool:
        """Release a reservation unless its holder exists and needs it; return whether it did.

        Only for one that was long unused: an update reserves before its target needs it.
        """
        with suppress(errors.NotFound, errors.Conflict):
            lease = await self._leases.get(name)
            holder = await self._holder(lease)
            if holder is None or name not in held_by(holder):
                await self._delete_as_seen(lease)
                return True
        return False

    async def _take(self, name: str, target: Target, deadline: Deadline) -> Reservation | None:
        """Reserve one for the target; None when another target has it."""
        wanted = Lease(
            metadata=ObjectMeta(
                name=name,
                namespace=target.metadata.namespace,
                labels={well_known.TARGET_UUID: target.metadata.name},
                owner_references=[owner_of(target)],
            ),
            spec=LeaseSpec(
                holder_identity=target.metadata.name, lease_transitions=0, renew_time=_now()
            ),
        )
        while deadline.remaining > 0:
            with suppress(errors.NotFound, errors.Conflict):
                with suppress(errors.AlreadyExists):
                    if (
                        made := await create_until_known(self._leases, wanted, deadline)
                    ) is not None:
                        return _reservation(made, is_new=True)
                # It exists; its name does not say which target holds it.
                lease = await self._leases.get(name)
                if lease.metadata.is_owned_by(target.metadata.uid):
                    return _reservation(await self._leases.replace(_again(lease)), is_new=False)
                if await self._holder(lease) is not None:
                    return None
                await self._delete_as_seen(lease)
        raise errors.OutcomeUnknown("the reservations were not settled in time")

    @asynccontextmanager
    async def _new_released_on_failure(self, held: list[Reservation]) -> AsyncIterator[None]:
        try:
            yield
        except BaseException:
            await self.release(each for each in held if each.is_new)
            raise

    async def _delete_as_seen(self, lease: Lease) -> None:
        seen = lease.metadata
        await self._leases.delete(seen.name, uid=seen.uid, resource_version=seen.resource_version)

    async def _holder(self, lease: Lease) -> Target | None:
        """Return the target that holds a reservation; None when it is gone or being deleted."""
        try:
            holder = await self._targets.get(lease.spec.holder_identity)
        except (errors.NotFound, paths.BadName):
            return None
        is_going = holder.metadata.deletion_timestamp is not None
        return holder if lease.metadata.is_owned_by(holder.metadata.uid) and not is_going else None


def held_by(target: Target) -> tuple[str, str]:
    """Return the names of the reservations that an admitted target holds: name, URL."""
    return _needed(target.spec)


def _needed(spec: TargetSpec) -> tuple[str, str]:
    return names.name_reservation(spec.cluster_name), names.url_reservation(spec.cluster_api_url)


def _wanted(target: Target) -> Iterable[tuple[str, str, str]]:
    """Yield each reservation's name, and the reason and message when another target has it."""
    name, url = held_by(target)
    spec = target.spec
    exists = "a target with the {} {!r} exists already"
    yield name, "DuplicateName", exists.format("clusterName", spec.cluster_name)
    yield url, "DuplicateAPIURL", exists.format("clusterAPIURL", spec.cluster_api_url)


def _reservation(lease: Lease, *, is_new: bool) -> Reservation:
    seen = lease.metadata
    return Reservation(seen.name, seen.uid, seen.resource_version, is_new)


def _again(lease: Lease) -> Lease:
    # The count makes it a change, and so a new version, even if the clock shows the same time.
    count = (lease.spec.lease_transitions or 0) + 1
    spec = msgspec.structs.replace(lease.spec, lease_transitions=count, renew_time=_now())
    return msgspec.structs.replace(lease, spec=spec)


def _now() -> datetime:
    return micro_time(datetime.now(UTC))
