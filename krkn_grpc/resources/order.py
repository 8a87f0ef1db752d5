"""What halts and blackouts have in common: they keep scenarios from running on targets."""

from collections.abc import Mapping
from functools import lru_cache

from krkn_grpc.resources import label_selector
from krkn_grpc.resources.label_selector import BadSelector, Selector
from krkn_grpc.resources.meta import Condition, Resource, Struct

INVALID = "Invalid"
"""The condition of an order that cannot be read as it was meant; in doubt it selects more."""


class OrderSpec(Struct, frozen=True, kw_only=True):
    """Which targets are meant."""

    target_selector: str = ""
    """A selector of the targets' labels, as `label_selector` reads it; empty: every target."""


class OrderStatus(Struct, frozen=True, kw_only=True):
    """What the controller says of the order."""

    conditions: list[Condition] = []


class Order(Resource, frozen=True, kw_only=True):
    """A standing order; it holds from its creation to its deletion."""

    spec: OrderSpec = OrderSpec()
    status: OrderStatus = OrderStatus()

    @property
    def holds(self) -> bool:
        """Whether it was not lifted: with a foreign finalizer a deleted one may stay for ever."""
        return self.metadata.deletion_timestamp is None

    @property
    def has_readable_selector(self) -> bool:
        """Whether its selector is one."""
        return _selector(self.spec.target_selector) is not None

    @property
    def needs_labels(self) -> bool:
        """Whether it depends on a target's labels if they are selected."""
        selector = _selector(self.spec.target_selector)
        return selector is not None and bool(selector.requirements)

    def selects(self, labels: Mapping[str, str] | None) -> bool:
        """Whether it selects a target with these labels; None: they are not known.

        What is not known is selected, and so is everything by a selector that cannot be read: an
        order too wide stops a test, an order too narrow does not stop an accident.
        """
        selector = _selector(self.spec.target_selector)
        if selector is None:
            return True
        return selector(labels) if labels is not None else True


# Each job looks at each order.
@lru_cache(maxsize=256)
def _selector(text: str) -> Selector | None:
    try:
        return label_selector.parse(text)
    except BadSelector:
        return None
