"""KrknChaosHalt: while it exists, no scenario runs on the targets that it selects."""

from collections.abc import Mapping
from functools import lru_cache

from krkn_grpc.resources import label_selector
from krkn_grpc.resources.bounds import cut
from krkn_grpc.resources.label_selector import BadSelector, Selector
from krkn_grpc.resources.meta import API_VERSION, Condition, Kind, Resource, Struct
from krkn_grpc.resources.text import on_one_line

INVALID = "Invalid"
"""The condition of a halt that cannot be read as it was meant; it selects every target."""

LONGEST_REASON = 1_024
# In bytes. A reply may repeat the reason for 1,000 targets, and an error has 8 KiB in all.
_LONGEST_QUOTE = 512


class HaltSpec(Struct, frozen=True, kw_only=True):
    """What is halted, and for people why, by whom and since when."""

    reason: str = ""
    by: str = ""
    since: str = ""
    """RFC 3339, as far as the resource definition checks it. Information only."""

    target_selector: str = ""
    """A selector of the targets' labels, as `label_selector` reads it; empty: every target."""


class HaltStatus(Struct, frozen=True, kw_only=True):
    """What the controller says of the halt."""

    conditions: list[Condition] = []


class Halt(Resource, frozen=True, kw_only=True):
    """A halt; it holds from its creation to its deletion."""

    KIND = Kind(API_VERSION, "KrknChaosHalt", "krknchaoshalts")

    spec: HaltSpec = HaltSpec()
    status: HaltStatus = HaltStatus()

    @property
    def holds(self) -> bool:
        """Whether it was not lifted: with a foreign finalizer a deleted halt may stay for ever."""
        return self.metadata.deletion_timestamp is None

    @property
    def is_readable(self) -> bool:
        """Whether its selector is one."""
        return _selector(self.spec.target_selector) is not None

    @property
    def needs_labels(self) -> bool:
        """Whether it depends on a target's labels if they are selected."""
        selector = _selector(self.spec.target_selector)
        return selector is not None and bool(selector.requirements)

    def selects(self, labels: Mapping[str, str] | None) -> bool:
        """Whether it selects a target with these labels; None: they are not known.

        What is not known is selected, and so is everything by a selector that cannot be read: a
        halt too wide stops a test, a halt too narrow does not stop an accident.
        """
        selector = _selector(self.spec.target_selector)
        if selector is None:
            return True
        return selector(labels) if labels is not None else True

    @property
    def message(self) -> str:
        """A sentence for those whose job or run is halted: the halt's name and its reason."""
        reason = cut(on_one_line(self.spec.reason), _LONGEST_QUOTE)
        return (
            f"Halted by {self.metadata.name}: {reason}"
            if reason
            else (f"Halted by {self.metadata.name}.")
        )


# Each job looks at each halt.
@lru_cache(maxsize=256)
def _selector(text: str) -> Selector | None:
    try:
        return label_selector.parse(text)
    except BadSelector:
        return None
