"""The blackouts that there are and are in force now, for those who start jobs."""

import asyncio
from datetime import UTC, datetime, timedelta

from controller.blackouts.timetable import InForce, Timetable
from controller.orders.current import CurrentOrders, StoredOrder
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.blackout import Blackout

# A clock that was set is noticed in this time.
_LOOK_SECONDS = 1.0
_LEAST_SECONDS = 0.02
# The estimate of the API server's time becomes better with each answer, and may go back for that.
_SAME_CLOCK = timedelta(seconds=5)


class _StoredBlackout(StoredOrder, frozen=True, kw_only=True):
    KIND = Blackout.KIND


class CurrentBlackouts(CurrentOrders[Blackout]):
    """The blackouts of the namespace; listeners are also told when one begins or ends.

    The time is the API server's. If its clock is set, the blackouts are those of the new time.
    """

    def __init__(self, session: Session, namespace: str) -> None:
        """Start without any; the caller runs `cache` and `run`."""
        super().__init__(Blackout, _StoredBlackout, session, namespace)
        self._clock = session.time.now
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._timetable = Timetable()

    def in_force(self) -> tuple[InForce, ...]:
        """Return the known blackouts that are in force, oldest first."""
        return self._timetable.in_force(self.all(), self._now())

    async def run(self) -> None:
        """List them and watch the clock until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(super().run())
            group.create_task(self._watch_the_clock())

    async def _watch_the_clock(self) -> None:
        """Tell of each blackout that begins or ends, at that moment."""
        before: dict[str, Blackout] = {}
        while True:
            now = {each.blackout.metadata.uid: each.blackout for each in self.in_force()}
            for uid in before.keys() ^ now.keys():
                self._tell_of(now.get(uid) or before[uid])
            before = now
            await asyncio.sleep(self._until_next_look())

    def _until_next_look(self) -> float:
        change = self._timetable.next_change
        if change is None:
            return _LOOK_SECONDS
        left = (change - self._now()).total_seconds()
        return min(max(left, _LEAST_SECONDS), _LOOK_SECONDS)

    def _now(self) -> datetime:
        """Return the time; a blackout that has begun or ended does not do so twice."""
        now = self._clock()
        if timedelta() < self._latest - now < _SAME_CLOCK:
            return self._latest
        self._latest = now
        return now
