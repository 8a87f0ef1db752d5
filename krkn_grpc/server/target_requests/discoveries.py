"""The target requests: made, read and deleted on the API server; waited for in the cache."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from krkn_grpc.kube import errors
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import CacheChange, Informer
from krkn_grpc.kube.retry import create_until_known
from krkn_grpc.resources import ids
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.target_request import (
    COMPLETED,
    TargetRequest,
    TargetRequestSpec,
    TargetRequestSummary,
)
from krkn_grpc.resources.well_known import REQUEST_UUID, REQUESTED_BY
from krkn_grpc.server.errors import LimitReached, NoSuch

NO_SUCH_REQUEST = "there is no such target request"


def by_caller(request: TargetRequestSummary) -> Iterable[str]:
    """Return the index's groups of a request: its caller."""
    return (request.metadata.annotations.get(REQUESTED_BY, ""),)


class Discoveries:
    """The target requests of the namespace."""

    def __init__(
        self,
        cache: Informer[TargetRequestSummary],
        requests: ResourceClient[TargetRequest],
        most_per_caller: int,
    ) -> None:
        """Write and read `requests`; `cache` is indexed by caller."""
        self._cache = cache
        self._requests = requests
        self._most_per_caller = most_per_caller
        self._waiting: dict[str, set[asyncio.Event]] = {}
        cache.listen(self._look)

    async def create(self, caller: str, request_id: str, deadline: Deadline) -> str:
        """Make a request and return its id; with a requestId the caller gets the same one again.

        Raises LimitReached when the caller has too many; those that are being made at the same
        moment, here or on another replica, are not counted.
        """
        uuid = _derived(caller, request_id) if request_id else ids.new_id()
        if request_id and await self._exists(uuid):
            return uuid
        if sum(1 for _ in self._cache.newest(caller)) >= self._most_per_caller:
            raise LimitReached(
                f"you have {self._most_per_caller} target requests; delete those that are done"
            )
        new = TargetRequestSummary(
            metadata=ObjectMeta(
                name=uuid,
                namespace=self._requests.namespace,
                labels={REQUEST_UUID: uuid},
                annotations={REQUESTED_BY: caller} if caller else {},
            ),
            spec=TargetRequestSpec(uuid=uuid),
        )
        try:
            written = await create_until_known(self._cache.client, new, deadline)
        except errors.AlreadyExists:
            if not request_id:
                raise
        else:
            if written is not None:
                self._cache.remember(written)
        return uuid

    async def get(self, uuid: str) -> TargetRequestSummary:
        """Return the request as it is now, without the clusters; raises NoSuch."""
        _must_be_id(uuid)
        try:
            return await self._cache.client.get(uuid)
        except errors.NotFound:
            raise NoSuch(NO_SUCH_REQUEST) from None

    async def get_whole(self, uuid: str) -> TargetRequest:
        """Return the request as it is now, with the clusters; raises NoSuch."""
        _must_be_id(uuid)
        try:
            return await self._requests.get(uuid)
        except errors.NotFound:
            raise NoSuch(NO_SUCH_REQUEST) from None

    async def get_completed(self, uuid: str, seconds: float) -> TargetRequestSummary:
        """Return the request, after waiting at most so long for its completion; raises NoSuch."""
        with self._waits_for(uuid) as changed:
            request = await self.get(uuid)
            if request.status.status == COMPLETED or seconds <= 0:
                return request
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), seconds)
        return await self.get(uuid)

    async def delete(self, uuid: str) -> None:
        """Delete the request; raises NoSuch."""
        request = await self.get(uuid)
        # It is gone by now: by another caller, or by this call, whose answer was lost and repeated.
        with suppress(errors.NotFound, errors.Conflict):
            await self._requests.delete(uuid, uid=request.metadata.uid)
        self._cache.forget(request)

    async def _exists(self, uuid: str) -> bool:
        try:
            await self._requests.get_metadata(uuid)
        except errors.NotFound:
            return False
        return True

    @contextmanager
    def _waits_for(self, uuid: str) -> Iterator[asyncio.Event]:
        """Give an event that is set when the request is completed or deleted."""
        event = asyncio.Event()
        waiting = self._waiting.setdefault(uuid, set())
        waiting.add(event)
        try:
            yield event
        finally:
            waiting.discard(event)
            if not waiting:
                self._waiting.pop(uuid, None)

    def _look(self, seen: CacheChange[TargetRequestSummary]) -> None:
        if seen.new is None or seen.new.status.status == COMPLETED:
            for event in self._waiting.get(seen.object.metadata.name, ()):
                event.set()


def _derived(caller: str, request_id: str) -> str:
    return ids.hashed_id(json.dumps(["target request", caller, request_id]))


def _must_be_id(uuid: str) -> None:
    """Raise NoSuch for a malformed id before it becomes a URL path."""
    if not ids.is_id(uuid):
        raise NoSuch(NO_SUCH_REQUEST)
