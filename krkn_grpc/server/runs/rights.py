"""Finds the targets without run permission, before the run takes a place for writing."""

import asyncio
from collections.abc import Iterator, Sequence

from krkn_grpc.kube import errors
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.server.auth.authorization import Permission
from krkn_grpc.server.errors import NO_SUCH_TARGET, TOO_LATE, CallError, NoSuch, without_frames

_AT_ONCE = 16


async def refusals(
    caller: Permission, uuids: Sequence[str], deadline: Deadline
) -> dict[str, Exception]:
    """Return an error for each target on which the caller may not run.

    It is the error for an absent target, or the reason why the permission could not be checked.
    """
    if not uuids:
        return {}
    try:
        async with asyncio.timeout(deadline.remaining):
            if await caller.may_run_all():
                return {}
    except TimeoutError:
        return dict.fromkeys(uuids, errors.NotWritten(TOO_LATE))
    except (errors.KubeError, CallError) as error:
        return dict.fromkeys(uuids, error)
    return await _Names(caller, deadline).ask(uuids)


class _Names:
    """Checks targets by name: one after the other until one is allowed, then several at once.

    So a caller without permission on any of them is answered in full, and at little cost.
    """

    def __init__(self, caller: Permission, deadline: Deadline) -> None:
        self._caller = caller
        self._deadline = deadline
        self._refused: dict[str, Exception] = {}

    async def ask(self, uuids: Sequence[str]) -> dict[str, Exception]:
        """Return an error for each target on which the caller may not run."""
        left = iter(uuids)
        for uuid in left:
            if await self._is_allowed(uuid):
                async with asyncio.TaskGroup() as group:
                    for _ in range(min(_AT_ONCE, len(uuids))):
                        group.create_task(self._ask_all(left))
        return self._refused

    async def _ask_all(self, left: Iterator[str]) -> None:
        for uuid in left:
            await self._is_allowed(uuid)

    async def _is_allowed(self, uuid: str) -> bool:
        try:
            async with asyncio.timeout(self._deadline.remaining):
                if await self._caller.may_run(uuid):
                    return True
                self._refused[uuid] = NoSuch(NO_SUCH_TARGET)
        except TimeoutError:
            self._refused[uuid] = errors.NotWritten(TOO_LATE)
        except (errors.KubeError, CallError) as error:
            self._refused[uuid] = without_frames(error)
        return False
