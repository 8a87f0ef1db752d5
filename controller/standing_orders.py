"""Halts and blackouts together, as the controller runs them."""

import asyncio
from dataclasses import dataclass
from typing import Any, Self

from controller.blackouts.conditions import status_of as status_of_blackout
from controller.blackouts.current import CurrentBlackouts
from controller.halts.conditions import status_of as status_of_halt
from controller.halts.current import CurrentHalts
from controller.orders.controller import OrderController
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import Session


@dataclass(frozen=True)
class StandingOrders:
    """All that must be obeyed before a job starts, and the work on it."""

    halts: CurrentHalts
    blackouts: CurrentBlackouts
    work: tuple[OrderController, ...]

    @classmethod
    def of(cls, session: Session, namespace: str) -> Self:
        """Return those of a namespace, not yet running."""
        halts = CurrentHalts(session, namespace)
        blackouts = CurrentBlackouts(session, namespace)
        clock = session.time.now
        work = (
            OrderController.of(halts, status_of_halt, clock),
            OrderController.of(blackouts, status_of_blackout, clock),
        )
        return cls(halts, blackouts, work)

    @property
    def caches(self) -> tuple[Informer[Any], ...]:
        """The informers, for the caller to run; nobody has to wait for them.

        Where they cannot be read nothing starts, and all else goes on.
        """
        return self.halts.cache, self.blackouts.cache

    async def look_first(self) -> None:
        """Read them before anything starts: what a standby's cache has not seen must hold."""
        await asyncio.gather(self.halts.look_first(), self.blackouts.look_first())

    async def run(self) -> None:
        """Keep them current and write their conditions, until cancelled; only in the leader."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.halts.run())
            group.create_task(self.blackouts.run())
            for each in self.work:
                group.create_task(each.run())
