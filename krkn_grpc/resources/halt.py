"""KrknChaosHalt: while it exists, no scenario runs on the targets that it selects."""

from krkn_grpc.resources.bounds import cut
from krkn_grpc.resources.meta import API_VERSION, Kind
from krkn_grpc.resources.order import Order, OrderSpec
from krkn_grpc.resources.text import on_one_line

LONGEST_REASON = 1_024
# In bytes. A reply may repeat the reason for 1,000 targets, and an error has 8 KiB in all.
_LONGEST_QUOTE = 512


class HaltSpec(OrderSpec, frozen=True, kw_only=True):
    """What is halted, and for people why, by whom and since when."""

    reason: str = ""
    by: str = ""
    since: str = ""
    """RFC 3339, as far as the resource definition checks it. Information only."""


class Halt(Order, frozen=True, kw_only=True):
    """A halt; it holds from its creation to its deletion."""

    KIND = Kind(API_VERSION, "KrknChaosHalt", "krknchaoshalts")

    spec: HaltSpec = HaltSpec()

    @property
    def is_readable(self) -> bool:
        """Whether it can be read as it was meant."""
        return self.has_readable_selector

    @property
    def message(self) -> str:
        """A sentence for those whose job or run is halted: the halt's name and its reason."""
        reason = cut(on_one_line(self.spec.reason), _LONGEST_QUOTE)
        return (
            f"Halted by {self.metadata.name}: {reason}"
            if reason
            else (f"Halted by {self.metadata.name}.")
        )
