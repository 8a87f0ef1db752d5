"""A target's name and URL are reserved by two Leases, which the API server creates only once.

Listing first and creating then is a race that several replicas lose. A Lease named by the hash
of what must be unique can be created by one of them alone. It belongs to the target by uid, so it
never outlives it for long.

Whoever takes a Lease that is its own already writes to it, and whoever releases one says which
version of it he saw: so a release that comes late never frees what was taken again meanwhile.
"""

import contextlib
from datetime import UTC, datetime

import msgspec

from krkn_grpc.kube import errors
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.store import Store
from krkn_grpc.kube.write import create
from krkn_grpc.resources import labels, names
from krkn_grpc.resources.core import Lease, LeaseSpec
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.target import Target


class Taken(Exception):
    """Another target has the name or the URL; `reason` says which in one word."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep both for the caller or the target's condition."""
        super().__init__(message)
        self.reason = reason
        self.message = message


class Reservations:
    """Takes and releases the names and URLs of targets."""

    def __init__(self, leases: Store[Lease], targets: Store[Target]) -> None:
        """Keep the reservations among `leases`; their holders are among `targets`."""
        self._leases = leases
        self._targets = targets

    async def reserve(self, target: Target, deadline: Deadline) -> None:
        """Reserve the target's name and URL for it.

        Raises Taken when another target has either (the target may then hold one of the two:
        release it), and OutcomeUnknown when the deadline came first.
        """
        spec = target.spec
        name = Taken(
            "DuplicateName",
            f"a target with the clusterName {spec.cluster_name!r} exists already",
        )
        url = Taken(
            "DuplicateAPIURL",
            f"a target with the clusterAPIURL {spec.cluster_api_url!r} exists already",
        )
        for reservation, taken in zip(held_by(target), (name, url), strict=True):
            await self._take(reservation, target, taken, deadline)

    async def release_unused(self, *formerly: Target) -> None:
        """Release what these versions of a target held and the target no longer needs."""
        for name in {name for target in formerly for name in held_by(target)}:
            await self.release_if_unused(name)

    async def release_held(self, loser: Target) -> None:
        """Release what a target took before it lost the other; it is not admitted."""
        for name in held_by(loser):
            with contextlib.suppress(errors.NotFound, errors.Conflict):
                lease = await self._leases.get(name)
                holder = await self._holder(lease)
                # Read after the Lease: with another spec it may have been admitted since.
                if holder is not None and _is_same_version(holder, loser):
                    await self._delete_as_seen(lease)

    async def release_if_unused(self, name: str) -> None:
        """Release one reservation unless its holder is there and needs it."""
        with contextlib.suppress(errors.NotFound, errors.Conflict):
            lease = await self._leases.get(name)
            holder = await self._holder(lease)
            if holder is None or name not in held_by(holder):
                await self._delete_as_seen(lease)

    async def _take(self, name: str, target: Target, taken: Taken, deadline: Deadline) -> None:
        wanted = Lease(
            metadata=ObjectMeta(
                name=name,
                namespace=target.metadata.namespace,
                labels={labels.TARGET_UUID: target.metadata.name},
                owner_references=[owner_of(target)],
            ),
            spec=LeaseSpec(holder_identity=target.metadata.name, renew_time=_now()),
        )
        while deadline.remaining > 0:
            with contextlib.suppress(errors.NotFound, errors.Conflict):
                try:
                    await create(self._leases, wanted, deadline)
                    return
                except errors.AlreadyExists:
                    if await self._take_over(name, target, taken):
                        return
        raise errors.OutcomeUnknown("the reservations were not settled in time")

    async def _take_over(self, name: str, target: Target, taken: Taken) -> bool:
        """Whether it is the target's now; one that nobody holds any more is cleared away."""
        lease = await self._leases.get(name)
        if lease.metadata.is_owned_by(target.metadata.uid):
            spec = msgspec.structs.replace(lease.spec, renew_time=_now())
            await self._leases.replace(msgspec.structs.replace(lease, spec=spec))
            return True
        if await self._holder(lease) is not None:
            raise taken
        await self._delete_as_seen(lease)
        return False

    async def _delete_as_seen(self, lease: Lease) -> None:
        seen = lease.metadata
        await self._leases.delete(seen.name, uid=seen.uid, resource_version=seen.resource_version)

    async def _holder(self, lease: Lease) -> Target | None:
        """Return the target that holds a reservation, None when it is gone."""
        try:
            holder = await self._targets.get(lease.spec.holder_identity)
        except (errors.NotFound, ValueError):
            return None
        return holder if lease.metadata.is_owned_by(holder.metadata.uid) else None


def held_by(target: Target) -> tuple[str, str]:
    """Return the names of the reservations that an admitted target holds: name, URL."""
    spec = target.spec
    return names.name_reservation(spec.cluster_name), names.url_reservation(spec.cluster_api_url)


def _is_same_version(one: Target, other: Target) -> bool:
    return (one.metadata.uid, one.metadata.generation) == (
        other.metadata.uid,
        other.metadata.generation,
    )


def _now() -> datetime:
    return datetime.now(UTC)
