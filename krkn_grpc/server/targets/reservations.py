"""A target's name and URL are reserved by two Leases, which the API server creates only once.

Listing first and creating then is a race that several replicas lose. A Lease named by the hash
of what must be unique can be created by one of them alone; it belongs to the target by uid, so
it can never outlive it for long.
"""

import contextlib

from krkn_grpc.kube import errors
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import labels, names
from krkn_grpc.resources.core import Lease, LeaseSpec
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.target import Target
from krkn_grpc.server.deadline import Deadline
from krkn_grpc.server.errors import Taken, Unsettled
from krkn_grpc.server.write import create


class Reservations:
    """Takes and releases the names and URLs of targets."""

    def __init__(self, leases: Store[Lease], targets: Store[Target]) -> None:
        """Keep the reservations among `leases`; their holders are among `targets`."""
        self._leases = leases
        self._targets = targets

    async def reserve(self, target: Target, deadline: Deadline) -> None:
        """Reserve the target's name and URL for it; raises Taken when another one has either."""
        spec = target.spec
        await self._take(
            names.name_reservation(spec.cluster_name),
            target,
            f"a target with the clusterName {spec.cluster_name!r} exists already",
            deadline,
        )
        await self._take(
            names.url_reservation(spec.cluster_api_url),
            target,
            f"a target with the clusterAPIURL {spec.cluster_api_url!r} exists already",
            deadline,
        )

    async def release(self, target: Target) -> None:
        """Release what this target holds, and nothing that another one has taken since."""
        for name in _reservations(target):
            try:
                lease = await self._leases.get(name)
                if lease.metadata.is_owned_by(target.metadata.uid):
                    await self._leases.delete(name, uid=lease.metadata.uid)
            except (errors.NotFound, errors.Conflict):
                continue

    async def _take(self, name: str, target: Target, taken: str, deadline: Deadline) -> None:
        wanted = Lease(
            metadata=ObjectMeta(
                name=name,
                namespace=target.metadata.namespace,
                labels={labels.TARGET_UUID: target.metadata.name},
                owner_references=[owner_of(target)],
            ),
            spec=LeaseSpec(holder_identity=target.metadata.name),
        )
        while deadline.remaining > 0:
            try:
                await create(self._leases, wanted, deadline)
                return
            except errors.AlreadyExists:
                if await self._is_free(name, target, taken):
                    return
        raise Unsettled("the reservation of the target's name and URL did not finish in time")

    async def _is_free(self, name: str, target: Target, taken: str) -> bool:
        """Whether it is ours already; a reservation that nobody holds any more is cleared."""
        try:
            lease = await self._leases.get(name)
        except errors.NotFound:
            return False
        if lease.metadata.is_owned_by(target.metadata.uid):
            return True
        if await self._is_held(lease):
            raise Taken(taken)
        with contextlib.suppress(errors.NotFound, errors.Conflict):
            await self._leases.delete(name, uid=lease.metadata.uid)
        return False

    async def _is_held(self, lease: Lease) -> bool:
        try:
            holder = await self._targets.get(lease.spec.holder_identity)
        except (errors.NotFound, ValueError):
            return False
        return lease.metadata.is_owned_by(holder.metadata.uid)


def _reservations(target: Target) -> tuple[str, str]:
    spec = target.spec
    return names.name_reservation(spec.cluster_name), names.url_reservation(spec.cluster_api_url)
