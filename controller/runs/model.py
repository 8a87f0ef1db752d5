"""What a run says to one of its jobs, and the outcomes of jobs as it counts them."""

from dataclasses import dataclass
from typing import Literal

from controller.reason import Reason

RUN_DELETED = Reason("RunDeleted", "The run that the job belongs to is gone.")
CREATED_TOO_LATE = Reason("CreatedTooLate", "The job was created when its run had gone on without.")

Outcome = Literal["succeeded", "failed", "stopped", "refused", "unknown"]
"""A field of the run's counts, or that nobody saw it; refused: the job was never created."""

Spared = Literal["none", "started", "named"]
"""The jobs that an end does not concern: those that have started, or whose status names a pod."""


@dataclass(frozen=True)
class RunState:
    """Whether a job may start, and why it has to end if it has.

    A job that has not started ends as Failed with `fails`, else as Stopped. With a `limit` greater
    than 0, so many jobs of the run may run at once.
    """

    end: Reason | None = None
    spares: Spared = "none"
    fails: bool = False
    limit: int = 0
    has_turn: bool = True
    is_departed: bool = False
    """Whether the run's status has counted the job as gone, so that it may be deleted."""

    def end_of(self, *, is_named: bool, has_started: bool) -> Reason | None:
        """Return why a job in this state has to end, None when it may go on."""
        is_spared = is_named if self.spares == "named" else has_started
        return None if self.spares != "none" and is_spared else self.end
