"""What a run says to one of its jobs, and the outcomes of jobs as it counts them."""

from dataclasses import dataclass
from typing import Literal

from controller.reason import Reason

RUN_DELETED = Reason("RunDeleted", "The run that the job belongs to is gone.")
CREATED_TOO_LATE = Reason("CreatedTooLate", "The job was created when its run had gone on without.")

Outcome = Literal["succeeded", "failed", "stopped", "refused"]
"""A field of the run's counts; refused: the job was never created."""


@dataclass(frozen=True)
class RunState:
    """Whether a job may start, and why it has to end if it has.

    `end` concerns the jobs that have not started, and without `spares_started` all. With a `limit`
    greater than 0, so many jobs of the run may run at once.
    """

    end: Reason | None = None
    spares_started: bool = False
    limit: int = 0
    has_turn: bool = True
    is_departed: bool = True
    """Whether the run's status has counted the job as gone, so that it may be deleted."""

    @property
    def end_of_started(self) -> Reason | None:
        """Why a job that has started is to be stopped, None when it may go on."""
        return None if self.spares_started else self.end
