"""Says in the status of a halt whether it can be read; such writes are rare."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from controller.halts.conditions import status_of
from controller.halts.current import CurrentHalts
from controller.work_queue import Requeue, WorkQueue
from krkn_grpc.kube.errors import Conflict, NotFound
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.halt import Halt

_WORKERS = 2


@dataclass(frozen=True)
class HaltReconciler:
    """Writes the conditions of halts."""

    halts: Informer[Halt]
    clock: Callable[[], datetime]
    """The time as the API server has it."""

    async def reconcile(self, name: str) -> None:
        """Write the halt's conditions if they are not what they should be."""
        halt = self.halts.get(name)
        if halt is None or not halt.holds:
            return
        status = status_of(halt, self.clock().replace(microsecond=0))
        if status == halt.status:
            return
        try:
            self.halts.remember(await self.halts.client.replace_status(halt, status))
        except (Conflict, NotFound) as error:
            raise Requeue(str(error)) from error


@dataclass(frozen=True)
class HaltController:
    """A work queue of halts; it runs only in the leader."""

    halts: Informer[Halt]
    queue: WorkQueue

    @classmethod
    def of(cls, current: CurrentHalts, clock: Callable[[], datetime]) -> Self:
        """Return the controller with its listener attached."""
        halts = current.cache
        queue = WorkQueue("halts", HaltReconciler(halts, clock).reconcile)
        halts.listen(lambda seen: queue.add(seen.object.metadata.name))
        return cls(halts, queue)

    async def run(self) -> None:
        """Reconcile every halt once, then each halt whenever it changes."""
        await self.queue.run(_WORKERS, lambda: [each.metadata.name for each in self.halts.values()])
