"""Says whether a job has to wait for its turn, and for what. Pure.

While it waits only the time in the queue counts. A blackout comes first, also where a busy target
would refuse the job: its turn is another question, asked when the blackout is over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.blackouts.timetable import InForce
from controller.jobs import conditions
from controller.jobs.model import Observed
from controller.reason import Reason
from krkn_grpc.resources.chaos_job import BLACKOUT, ChaosJob

TARGET_BUSY = "TargetBusy"
WAITING_FOR_TURN = "WaitingForTurn"
BLACKOUTS_UNKNOWN = Reason(
    "BlackoutsUnknown", "Nothing starts before the blackouts could be read, and now they cannot be."
)
_NOT_YET = timedelta(seconds=2)


@dataclass(frozen=True)
class Wait:
    """Why a job waits for its turn. Others wake it when that ends; `look_at` is for other cases."""

    why: Reason
    look_at: datetime | None = None

    @property
    def is_long(self) -> bool:
        """Whether what was made for the start is too old when the wait is over."""
        return self.why.reason == BLACKOUT


def of(seen: Observed, job: ChaosJob) -> Wait | None:
    """Return what the job waits for before it gets a pod, or before its pod may start."""
    if seen.blackouts:
        longest = max(seen.blackouts, key=_lasts_until)
        return Wait(Reason(BLACKOUT, longest.message), longest.until)
    if conditions.is_queued(job) and not seen.are_blackouts_known:
        # It may wait for one of those: its turn has not come.
        return Wait(BLACKOUTS_UNKNOWN, seen.now + _NOT_YET)
    if job.status.pod_uid:
        # What is named has had its turn.
        return None
    if (run := seen.run) is not None and not run.has_turn:
        taken = f"The run's limit of {run.limit} at once is taken by jobs that come before."
        return Wait(Reason(WAITING_FOR_TURN, taken))
    if (turn := seen.turn) is not None and not turn.has_come:
        taken = f"The target's limit of {turn.limit} at once is taken by jobs that came before."
        return Wait(Reason(TARGET_BUSY, taken))
    return None


def stop(seen: Observed) -> Reason | None:
    """Return why a job that runs, or may at any moment, is to be stopped; None: it goes on."""
    for each in seen.blackouts:
        if each.stops_running:
            return Reason(BLACKOUT, f"Stopped by blackout {each.blackout.metadata.name}.")
    return None


def _lasts_until(blackout: InForce) -> float:
    return float("inf") if blackout.until is None else blackout.until.timestamp()
