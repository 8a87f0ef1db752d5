"""What the controller says of an order in its status. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from controller.reason import Reason
from krkn_grpc.resources.meta import Condition, find_condition, with_condition
from krkn_grpc.resources.order import INVALID, Order, OrderStatus

O = TypeVar("O", bound=Order)  # noqa: E741  # the kind of order

StatusOf = Callable[[O, datetime], OrderStatus]
"""Returns the status that an order should have at a time."""


def with_validity(order: Order, wrong: Reason | None, read: str, now: datetime) -> OrderStatus:
    """Return the status with the condition Invalid: what is `wrong`, or the reason `read`.

    An order that could always be read needs no condition.
    """
    conditions = order.status.conditions
    if wrong is None and find_condition(conditions, INVALID) is None:
        return order.status
    condition = Condition(
        type=INVALID,
        status="False" if wrong is None else "True",
        reason=read if wrong is None else wrong.reason,
        message="" if wrong is None else wrong.message,
        last_transition_time=now,
        observed_generation=order.metadata.generation,
    )
    return OrderStatus(conditions=with_condition(conditions, condition))
