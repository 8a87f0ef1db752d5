"""The content of a report: a run, what became of each target, and the ends of logs. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from krkn_grpc.cli import display
from krkn_grpc.cli.display import JsonObject
from krkn_grpc.cli.reports.texts import clean
from krkn_grpc.client.models import Job, RunRecord
from krkn_grpc.client.reading import read
from krkn_grpc.v1 import runs_pb2, scenario_runs_pb2


class Status(StrEnum):
    """What became of a target: its job's status, or that there is none."""

    FAILED = "Failed"
    REFUSED = "Refused"
    """The service made no job."""
    ABSENT = "Absent"
    """There is no job any more, or not yet; how it ended is not known."""
    STOPPED = "Stopped"
    STOPPING = "Stopping"
    RUNNING = "Running"
    PENDING = "Pending"
    SUCCEEDED = "Succeeded"

    @property
    def is_bad(self) -> bool:
        """Whether the scenario did not do on the target what was asked for, and will not."""
        return self in _BAD

    @property
    def is_open(self) -> bool:
        """Whether the job has not ended."""
        return self in (Status.PENDING, Status.RUNNING, Status.STOPPING)


_BAD = (Status.FAILED, Status.REFUSED, Status.ABSENT, Status.STOPPED)


@dataclass(frozen=True)
class LogEnd:
    """The last lines of a job's log; `problem` says why there are none, or not all.

    `source` is `kept` of a log that was kept of a pod that is gone, `kept, truncated` if that had
    only the end of the log, and "" of the pod's own.
    """

    lines: tuple[str, ...]
    is_whole: bool = True
    problem: str = ""
    source: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of one target. `number` is its place in the request, from 1."""

    number: int
    status: Status
    job: Job
    shown: JsonObject
    """The job as REST shows it; of a target without one only what is known."""
    log: LogEnd | None = None

    @property
    def is_gone(self) -> bool:
        """Whether there is no job any more, or not yet."""
        return self.shown.get("status") == Status.ABSENT

    @property
    def name(self) -> str:
        """The name of the cluster when the run was asked for, its target's uuid without one."""
        return clean(self.job.cluster_name or self.job.target_uuid)

    @property
    def reason(self) -> str:
        """Why the status is what it is, in a word; "" if there is nothing to say."""
        return clean(self.job.reason)

    @property
    def message(self) -> str:
        """The same as a sentence."""
        return clean(self.job.message)

    @property
    def seconds(self) -> float | None:
        """How long the scenario ran; None if it has not started and ended."""
        return None if self.job.duration is None else self.job.duration.total_seconds()


@dataclass(frozen=True)
class Report:
    """A run as it was at `made_at`."""

    run: RunRecord
    shown: JsonObject
    """The run as REST lists it: without its targets."""
    outcomes: tuple[Outcome, ...]
    """One for each target, in the order of the request."""
    made_at: datetime
    server: str
    """The address of the service."""

    @property
    def counts(self) -> Mapping[Status, int]:
        """How many targets became what; statuses that are not there are left out."""
        counted = Counter(each.status for each in self.outcomes)
        return {status: counted[status] for status in Status if counted[status]}

    @property
    def counts_of_run(self) -> Mapping[Status, int]:
        """The same as the run itself has counted it: also of jobs that were deleted since."""
        counts = self.run.counts
        counted = {
            Status.FAILED: counts.failed,
            Status.REFUSED: counts.refused,
            Status.STOPPED: counts.stopped,
            Status.SUCCEEDED: counts.succeeded,
        }
        return {status: number for status, number in counted.items() if number}

    @property
    def not_well(self) -> tuple[Outcome, ...]:
        """The targets on which the scenario did not succeed and will not, the worst first."""
        bad = [each for each in self.outcomes if each.status.is_bad]
        return tuple(sorted(bad, key=lambda each: _BAD.index(each.status)))

    @property
    def worst_first(self) -> tuple[Outcome, ...]:
        """All targets: those that are not well, and then the others."""
        return *self.not_well, *(each for each in self.outcomes if not each.status.is_bad)

    @property
    def is_all_well(self) -> bool:
        """Whether the scenario has succeeded on each target."""
        return all(each.status is Status.SUCCEEDED for each in self.outcomes)

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many targets did not do well for which reason, the most frequent first."""
        return dict(
            Counter(each.reason or str(each.status) for each in self.not_well).most_common()
        )

    @property
    def log_problems(self) -> tuple[str, ...]:
        """Why logs could not be read, each reason once."""
        problems = (each.log.problem for each in self.outcomes if each.log is not None)
        return tuple(dict.fromkeys(problem for problem in problems if problem))

    @property
    def duration(self) -> timedelta | None:
        """The time from the first start to the end, or until the report was made."""
        if self.run.start_time is None:
            return None
        return max(timedelta(), (self.run.completion_time or self.made_at) - self.run.start_time)

    @property
    def seconds(self) -> float:
        """The same in seconds; 0 of a run on which nothing has started."""
        return 0.0 if self.duration is None else self.duration.total_seconds()


def report_of(
    run: runs_pb2.Run,
    jobs: Sequence[scenario_runs_pb2.Job],
    logs: Mapping[str, LogEnd],
    *,
    made_at: datetime,
    server: str,
) -> Report:
    """Return the report of a run.

    There is a job for each target, some of them with a status of this command; the ends of logs are
    by job id.
    """
    record = read(run, RunRecord)
    gone = Status.SUCCEEDED if _all_gone_succeeded(record, jobs) else Status.ABSENT
    outcomes = tuple(
        Outcome(
            number,
            gone if job.status == Status.ABSENT else _status(job),
            read(job, Job),
            display.as_json(job),
            log=logs.get(job.job_id),
        )
        for number, job in enumerate(jobs, 1)
    )
    listed = runs_pb2.Run()
    listed.CopyFrom(run)
    listed.ClearField("targets")
    listed.ClearField("refused")
    shown = {
        name: value
        for name, value in display.as_json(listed).items()
        if name not in ("targets", "refused")
    }
    return Report(record, shown, outcomes, made_at, server)


def _all_gone_succeeded(run: RunRecord, jobs: Sequence[scenario_runs_pb2.Job]) -> bool:
    """Whether all jobs that are gone have succeeded: the run has counted them, though not which."""
    well = sum(job.status in (Status.SUCCEEDED, Status.ABSENT) for job in jobs)
    return run.status.is_final and run.counts.succeeded == well


def _status(job: scenario_runs_pb2.Job) -> Status:
    try:
        return Status(job.status)
    except ValueError:
        # Of a service that is newer than this command, or of a job that is not known to exist.
        return Status.ABSENT
