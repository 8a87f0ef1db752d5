"""Says in the status of an order whether it can be read; such writes are rare."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from controller.orders.conditions import O, StatusOf
from controller.orders.current import CurrentOrders
from controller.work_queue import Requeue, WorkQueue
from krkn_grpc.kube.errors import Conflict, NotFound
from krkn_grpc.kube.informer import Informer

_WORKERS = 2


@dataclass(frozen=True)
class OrderReconciler(Generic[O]):
    """Writes the conditions of orders of one kind."""

    orders: Informer[O]
    status_of: StatusOf[O]
    clock: Callable[[], datetime]
    """The time as the API server has it."""

    async def reconcile(self, name: str) -> None:
        """Write the order's conditions if they are not what they should be."""
        order = self.orders.get(name)
        if order is None or not order.holds:
            return
        status = self.status_of(order, self.clock().replace(microsecond=0))
        if status == order.status:
            return
        try:
            self.orders.remember(await self.orders.client.replace_status(order, status))
        except (Conflict, NotFound) as error:
            raise Requeue(str(error)) from error


@dataclass(frozen=True)
class OrderController:
    """A work queue of orders of one kind; it runs only in the leader."""

    orders: Informer[Any]
    queue: WorkQueue

    @classmethod
    def of(
        cls, current: CurrentOrders[O], status_of: StatusOf[O], clock: Callable[[], datetime]
    ) -> "OrderController":
        """Return the controller with its listener attached."""
        orders = current.cache
        queue = WorkQueue(current.plural, OrderReconciler(orders, status_of, clock).reconcile)
        orders.listen(lambda seen: queue.add(seen.object.metadata.name))
        return cls(orders, queue)

    async def run(self) -> None:
        """Reconcile every order once, then each order whenever it changes."""
        names = self.orders.values
        await self.queue.run(_WORKERS, lambda: [each.metadata.name for each in names()])
