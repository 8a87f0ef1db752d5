"""Which clusters of a request its reader may see."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from krkn_grpc.kube import errors
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.server.auth.authorization import Permission
from krkn_grpc.server.auth.policy import REQUESTS, TARGETS
from krkn_grpc.server.errors import TOO_LATE
from krkn_grpc.server.target_requests.clusters import FoundCluster

_AT_ONCE = 16


async def visible(
    caller: Permission, clusters: Sequence[FoundCluster], deadline: Deadline
) -> list[FoundCluster]:
    """Return the clusters that the caller may see.

    A cluster that is a target needs the permission to get that target or to run on it; another one
    needs the permission to list target requests. Raises NotWritten when there is no time to ask.
    """
    try:
        async with asyncio.timeout(deadline.remaining):
            return await _Visibility(caller, asyncio.Semaphore(_AT_ONCE)).of(clusters)
    except TimeoutError:
        raise errors.NotWritten(TOO_LATE) from None


@dataclass(frozen=True)
class _Visibility:
    caller: Permission
    places: asyncio.Semaphore

    async def of(self, clusters: Sequence[FoundCluster]) -> list[FoundCluster]:
        sees_others = await self.caller.may("list", REQUESTS)
        uuids = {each.target_uuid for each in clusters if each.target_uuid}
        shown = uuids if await self._sees("") else await self._seen_of(uuids)
        return [
            each
            for each in clusters
            if (each.target_uuid in shown if each.target_uuid else sees_others)
        ]

    async def _seen_of(self, uuids: Iterable[str]) -> set[str]:
        asked = list(uuids)
        answers = await asyncio.gather(*map(self._sees, asked))
        return {uuid for uuid, is_seen in zip(asked, answers, strict=True) if is_seen}

    async def _sees(self, uuid: str) -> bool:
        """Whether the caller may get this target or run on it; every target if it is empty."""
        async with self.places:
            return await self.caller.may("get", TARGETS, uuid) or await self.caller.may(
                "run", TARGETS, uuid
            )
