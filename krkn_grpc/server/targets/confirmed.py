"""Writes to an existing target, each retried until its outcome is known."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from krkn_grpc.kube import errors
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.session import pause
from krkn_grpc.reservations.leases import Reservation, Reservations, held_by
from krkn_grpc.resources import target_conditions
from krkn_grpc.resources.target import Target
from krkn_grpc.server.errors import NO_SUCH_TARGET, Changed, NoSuch

# After these errors the current state is unknown, so the target is read again.
_LOOK_AGAIN = (errors.Conflict, errors.OutcomeUnknown, errors.NotWritten)

# Returns a target as it should become; the same target when nothing is left to do. It is called
# again with what another writer has made of the target meanwhile, so no change of theirs is lost.
Change = Callable[[Target], Target]


class ConfirmedWrites:
    """Changes targets, writes admissions, deletes; by the rules of `krkn_grpc.reservations`."""

    def __init__(self, targets: ResourceClient[Target], reservations: Reservations) -> None:
        """Write to `targets`, for which names and URLs are reserved in `reservations`."""
        self._targets = targets
        self._reservations = reservations

    async def note(self, old: Target, change: Change, deadline: Deadline) -> Target:
        """Write a change that leaves name and URL alone; return the target as it is then.

        Raises NoSuch when it is deleted meanwhile.
        """
        attempt = 0
        while (wanted := change(old)) != old:
            if deadline.remaining <= 0:
                raise errors.OutcomeUnknown("the target was not changed in time")
            try:
                return await self._targets.replace(wanted)
            except errors.NotFound:
                raise no_such() from None
            except _LOOK_AGAIN as error:
                old = await self._look_again(old, error, attempt)
            attempt += 1
        return old

    async def replace(
        self, old: Target, change: Change, taken: list[Reservation], deadline: Deadline
    ) -> tuple[Target, list[Reservation]]:
        """Write a change of the spec; return the target and the reservations it no longer needs.

        Reservations taken during retries are added to `taken`. Raises NoSuch when the target is
        deleted meanwhile.
        """
        attempt = 0
        former: list[Reservation] = []
        while (wanted := change(old)) != old:
            if attempt:
                # The other writer may have released reservations that its spec did not need.
                taken += await self._reservations.reserve(wanted, deadline)
            unneeded = set(held_by(old)) - set(held_by(wanted))
            former = await self._reservations.held(unneeded, old)
            if deadline.remaining <= 0:
                # From now on the sweep may release the new reservations.
                raise errors.OutcomeUnknown("the registration was not replaced in time")
            try:
                return await self._targets.replace(wanted), former
            except errors.NotFound:
                raise no_such() from None
            except _LOOK_AGAIN as error:
                old = await self._look_again(old, error, attempt)
            attempt += 1
        return old, former

    async def admit(self, target: Target, deadline: Deadline) -> Target:
        """Write the condition Admitted for the target as read before its reservations were taken.

        Raises NoSuch when it is deleted meanwhile, Changed when its spec has changed.
        """
        attempt = 0
        while True:
            status = target_conditions.admitted(target, datetime.now(UTC).replace(microsecond=0))
            try:
                return await self._targets.replace_status(target, status)
            except errors.NotFound:
                raise no_such() from None
            except _LOOK_AGAIN as error:
                seen = await self._look_again(target, error, attempt)
            if seen.spec != target.spec:
                raise Changed("another update of the target came at the same moment")
            if seen.is_admitted:  # by this write, or by the controller
                return seen
            await self._reservations.reserve(seen, deadline)
            target = seen
            attempt += 1

    async def delete(self, target: Target, deadline: Deadline) -> None:
        """Delete exactly this target, by its uid; an absent target is not an error.

        Its deletion by an unanswered attempt and by a concurrent call look the same.
        """
        attempt = 0
        with suppress(errors.NotFound, errors.Conflict):
            while True:
                try:
                    await self._targets.delete(target.metadata.name, uid=target.metadata.uid)
                    return
                except (errors.OutcomeUnknown, errors.NotWritten) as error:
                    if deadline.remaining <= 0:
                        raise
                    await pause(error, attempt)
                attempt += 1

    async def _look_again(self, known: Target, error: errors.KubeError, attempt: int) -> Target:
        if not isinstance(error, errors.Conflict):
            await pause(error, attempt)
        try:
            seen = await self._targets.get(known.metadata.name)
        except errors.NotFound:
            raise no_such() from None
        if seen.metadata.uid != known.metadata.uid or seen.metadata.deletion_timestamp is not None:
            raise no_such()
        return seen


def no_such() -> NoSuch:
    """Return the error for a target that does not exist or is not registered."""
    return NoSuch(NO_SUCH_TARGET)
