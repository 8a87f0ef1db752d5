"""Writes to a target that exists, each followed until it is known what became of it."""

from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from krkn_grpc.admission import conditions
from krkn_grpc.admission.reservations import Reservation, Reservations, held_by
from krkn_grpc.kube import errors
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.session import pause
from krkn_grpc.kube.store import Store
from krkn_grpc.resources.target import Target, TargetSpec
from krkn_grpc.server.errors import NO_SUCH_TARGET, Changed, NoSuch

# After these nobody knows what is written now, so it is looked at again.
_LOOK_AGAIN = (errors.Conflict, errors.OutcomeUnknown, errors.NotWritten)


class ConfirmedWrites:
    """Replaces specs, writes admissions, deletes; by the rules of `krkn_grpc.admission`."""

    def __init__(self, targets: Store[Target], reservations: Reservations) -> None:
        """Write to `targets`, for which names and URLs are reserved in `reservations`."""
        self._targets = targets
        self._reservations = reservations

    async def replace(
        self, old: Target, spec: TargetSpec, taken: list[Reservation], deadline: Deadline
    ) -> tuple[Target, list[Reservation]]:
        """Write the spec, and return the target and what it held and does not need any more.

        What has to be reserved for it besides, on the way, is added to `taken`. Raises NoSuch
        when the target is deleted meanwhile.
        """
        attempt = 0
        while True:
            wanted = msgspec.structs.replace(old, spec=spec)
            if attempt:
                # Whoever changed the target may have released what it did not need then.
                taken += await self._reservations.reserve(wanted, deadline)
            unneeded = set(held_by(old)) - set(held_by(wanted))
            former = await self._reservations.held(unneeded, old)
            if deadline.remaining <= 0:
                # By now the sweep may take back what was reserved.
                raise errors.OutcomeUnknown("the registration was not replaced in time")
            try:
                return await self._targets.replace(wanted), former
            except errors.NotFound:
                raise no_such() from None
            except _LOOK_AGAIN as error:
                seen = await self._look_again(old, error, attempt)
            if seen.spec == spec:
                return seen, former
            old = seen
            attempt += 1

    async def admit(self, target: Target, deadline: Deadline) -> Target:
        """Write that the target, as it was read before its reservations were taken, holds them.

        Raises NoSuch when it is deleted meanwhile, Changed when its spec is another one now.
        """
        attempt = 0
        while True:
            status = conditions.admitted(target, datetime.now(UTC).replace(microsecond=0))
            try:
                return await self._targets.replace_status(target, status)
            except errors.NotFound:
                raise no_such() from None
            except _LOOK_AGAIN as error:
                seen = await self._look_again(target, error, attempt)
            if seen.spec != target.spec:
                raise Changed("another update of the target came at the same moment")
            if seen.is_admitted:  # by this very write, or by the controller
                return seen
            await self._reservations.reserve(seen, deadline)
            target = seen
            attempt += 1

    async def delete(self, target: Target, deadline: Deadline) -> None:
        """Delete exactly this target; that it is gone already is no error.

        Nobody could tell an attempt that was not answered from another call at the same moment.
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
    """Return the error for a target that does not exist, or that clients do not know of."""
    return NoSuch(NO_SUCH_TARGET)
