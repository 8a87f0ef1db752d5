"""The Events about jobs. Pure."""

from datetime import datetime

from controller.events import event_about
from controller.jobs import conditions
from controller.jobs.termination import STOP_REQUESTED
from krkn_grpc.resources.chaos_job import STOPPING_REASONS, ChaosJob, ChaosJobStatus
from krkn_grpc.resources.core import Event


def event_for(before: ChaosJob, written: ChaosJob, now: datetime) -> Event | None:
    """Return the Event for a written status; None when it needs none.

    The status keeps the pod and the start for good. An Event reports the end, and problems
    before it, which the status shows only as long as they last.
    """
    old, new = before.status, written.status
    if new.phase == "Running" or not new.reason or _told(new) == _told(old):
        return None
    if _is_ending(before, written):
        return None
    return event_about(
        written,
        now,
        action=new.phase,
        reason=new.reason,
        note=new.message,
        went_well=new.phase in ("Succeeded", "Stopped"),
    )


def step_for(before: ChaosJob, written: ChaosJob, now: datetime) -> Event | None:
    """Return the Event that a scenario has started or is being ended; it may be dropped."""
    old, new = before.status, written.status
    if new.phase == "Running" and old.phase != "Running":
        note = f"The scenario runs in the pod {new.pod_name}."
        return event_about(
            written, now, action="Running", reason=new.reason, note=note, went_well=True
        )
    if not _is_ending(before, written):
        return None
    why = new.reason
    return event_about(
        written,
        now,
        action="Stopping",
        reason=why,
        note=new.message,
        went_well=why in STOPPING_REASONS,
    )


def stop_for(job: ChaosJob, now: datetime) -> Event | None:
    """Return the Event that the pod of a job is being ended because of its spec.stop.

    No status says so, and the grace period may be long. It may be dropped.
    """
    if not job.spec.stop or job.status.is_final:
        return None
    return event_about(
        job,
        now,
        action="Stopping",
        reason=STOP_REQUESTED,
        note="The scenario was asked to end, and has its grace period for that.",
        went_well=True,
    )


def _is_ending(before: ChaosJob, written: ChaosJob) -> bool:
    """Whether this write says that the controller is about to end the job's pod."""
    is_new = conditions.ending(before) is None and conditions.ending(written) is not None
    return is_new and not written.status.is_final


def _told(status: ChaosJobStatus) -> tuple[str, str]:
    return status.reason, status.phase
