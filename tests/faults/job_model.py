"""What was done with one job, and so how it may end. Pure."""

from dataclasses import dataclass, field

from tests.support.custom_objects import Manifest

BY_ITSELF: dict[str, tuple[str, int] | None] = {
    "lasts-0s": ("Succeeded", 0),
    "lasts-1s": ("Succeeded", 0),
    "lasts-0s-exit-3": ("Failed", 3),
    "lasts-1s-exit-7": ("Failed", 7),
    "never-ends": None,
    "ignores-sigterm": None,
    "image-pull-error": None,
}
"""How a scenario of each behaviour ends when nobody does anything; None: it does not."""

_BY_SIGNAL = (None, 137, 143)


@dataclass
class Life:
    """The model of one job: all that was done with it."""

    job: str
    behaviour: str
    target: str
    is_stopped: bool = False
    is_deleted: bool = False
    lost_pod: bool = False
    lost_target: bool = False
    is_halted: bool = False
    """Whether a halt was there that selects its target."""
    exit_codes: set[int] = field(default_factory=set)
    """With which its container may have ended by another hand."""

    @property
    def never_ends(self) -> bool:
        """Whether it would not end by itself."""
        return BY_ITSELF[self.behaviour] is None

    @property
    def ends(self) -> set[tuple[str, int | None]]:
        """The ends that are right: phase and exit code."""
        right: set[tuple[str, int | None]] = {("Failed", code) for code in self.exit_codes}
        if (own := BY_ITSELF[self.behaviour]) is not None:
            right.add(own)
        if self.is_stopped or self.is_halted:
            # An end in the very second of the stop counts as caused by it.
            right |= {("Stopped", code) for code in (*_BY_SIGNAL, *(code for _, code in right))}
        if self.lost_pod:
            right |= {("Failed", code) for code in _BY_SIGNAL}
        if self.lost_target:
            right.add(("Failed", None))  # it had not started
        return right

    def ended_rightly(self, last: Manifest) -> None:
        """Assert that the job, as it was last seen, ended as what was done with it allows."""
        status = last.get("status", {})
        if self.is_deleted and not status.get("completionTime"):
            return  # it went before it ended
        assert (status["phase"], status.get("exitCode")) in self.ends, f"{self}: {status}"
