"""The halts that there are now, for those who must not start anything while there is one."""

from controller.orders.current import CurrentOrders, StoredOrder
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.halt import Halt


class _StoredHalt(StoredOrder, frozen=True, kw_only=True):
    KIND = Halt.KIND


class CurrentHalts(CurrentOrders[Halt]):
    """The halts of the namespace."""

    def __init__(self, session: Session, namespace: str) -> None:
        """Start without any; the caller runs `cache` and `run`."""
        super().__init__(Halt, _StoredHalt, session, namespace)
