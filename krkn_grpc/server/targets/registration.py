"""Registers and removes targets, each write so that a crash after it leaves nothing usable.

    target (not admitted) -> reservations -> Secret -> condition Admitted

A target without the condition can not be run; what a crash leaves half-made is removed by the
controller. The loser of a race deletes its own target, by uid.
"""

import asyncio
from datetime import UTC, datetime

import msgspec

from krkn_grpc.kube import errors
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import ids, kubeconfig, labels
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.meta import Condition, ObjectMeta, owner_of, with_condition
from krkn_grpc.resources.target import ADMITTED, Target, TargetSpec
from krkn_grpc.server.deadline import Deadline
from krkn_grpc.server.errors import NoSuch, Unsettled
from krkn_grpc.server.targets.check import NewTarget
from krkn_grpc.server.targets.reservations import Reservations
from krkn_grpc.server.write import create

_ABSENT = "there is no such target"


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
            raise NoSuch(_ABSENT)
        if (known := self._cache.get(uuid)) is not None:
            return known
        try:
            return await self._targets.get(uuid)
        except errors.NotFound:
            raise NoSuch(_ABSENT) from None

    async def create(self, new: NewTarget, deadline: Deadline) -> Target:
        """Register a target; raises Taken when its name or its URL has one already."""
        target = await self._create_target(new, deadline)
        try:
            await self._reservations.reserve(target, deadline)
            await create(self._secrets, _secret(target, new), deadline)
            target = await self._admit(target)
        except BaseException:
            # Also when we are cancelled: whatever was taken is given back at once.
            await asyncio.shield(self._withdraw(target))
            raise
        self._cache.remember(target)
        return target

    async def delete(self, uuid: str) -> Target:
        """Remove a target; its name and URL are free when this returns."""
        if not ids.is_id(uuid):
            raise NoSuch(_ABSENT)
        try:
            target = await self._targets.get(uuid)
            await self._targets.delete(uuid, uid=target.metadata.uid)
        except errors.NotFound:
            raise NoSuch(_ABSENT) from None
        # Only now: without its reservations an admitted target would no longer be unique.
        await self._reservations.release(target)
        return target

    async def _create_target(self, new: NewTarget, deadline: Deadline) -> Target:
        uuid = ids.new_id()
        target = Target(
            metadata=ObjectMeta(
                name=uuid,
                namespace=self._targets.namespace,
                annotations={labels.REGISTERED_BY_SERVER: "true"},
            ),
            spec=TargetSpec(
                uuid=uuid,
                cluster_name=new.cluster_name,
                cluster_api_url=new.kubeconfig.server,
                secret_type=new.secret_type,
                secret_uuid=ids.new_id(),
                ca_bundle=new.ca_bundle,
                insecure_skip_tls_verify=new.kubeconfig.insecure_skip_tls_verify,
            ),
        )
        return await create(self._targets, target, deadline) or await self._targets.get(uuid)

    async def _admit(self, target: Target) -> Target:
        condition = Condition(
            type=ADMITTED,
            status="True",
            reason="Registered",
            message="The target holds its name and its URL.",
            last_transition_time=datetime.now(UTC).replace(microsecond=0),
            observed_generation=target.metadata.generation,
        )
        while True:
            conditions = with_condition(target.status.conditions, condition)
            status = msgspec.structs.replace(target.status, conditions=conditions)
            try:
                return await self._targets.replace_status(target, status)
            except errors.Conflict:
                target = await self._targets.get(target.metadata.name)
            except errors.NotFound:
                raise Unsettled("the registration took too long and was removed") from None

    async def _withdraw(self, target: Target) -> None:
        try:
            await self._targets.delete(target.metadata.name, uid=target.metadata.uid)
            await self._reservations.release(target)
        except errors.KubeError:
            return  # The controller removes what is half-made.


def _secret(target: Target, new: NewTarget) -> Secret:
    return Secret(
        metadata=ObjectMeta(
            name=target.spec.secret_uuid,
            namespace=target.metadata.namespace,
            labels={labels.TARGET_UUID: target.metadata.name},
            owner_references=[owner_of(target)],
        ),
        string_data={"kubeconfig": kubeconfig.to_secret_data(new.kubeconfig)},
    )
