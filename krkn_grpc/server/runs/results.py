"""The results of a run on its targets, and the texts of errors for callers. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import structlog

from krkn_grpc.kube import errors
from krkn_grpc.resources import names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.server.errors import INTERNAL, CallError, Halted, Unreachable, answer_for
from krkn_grpc.server.runs.idempotency_record import Record
from krkn_grpc.told import told

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class JobResult:
    """The result of the run on one target.

    Created: `Pending`. Refused: `Failed`, and no job exists. Unknown: `Unknown`, and a job of
    this id may exist.
    """

    target_uuid: str
    status: Literal["Pending", "Failed", "Unknown"]
    job_id: str = ""
    error: str | None = None
    job: ChaosJob | None = None

    @property
    def pod_name(self) -> str:
        """The name of the job's pod, also before it exists."""
        return names.pod_for(self.job_id) if self.job_id else ""


class Submitted(NamedTuple):
    """The results of a call; `is_repeated` when an earlier call wrote its run.

    `run` is None when no target gets a job.
    """

    results: list[JobResult]
    run: ChaosRun | None
    is_repeated: bool


def was_away(outcome: JobResult | BaseException) -> bool:
    """Whether the API server could not be reached; a busy quota or webhook is an answer."""
    answered = errors.QuotaBusy | errors.WebhookAway
    return isinstance(outcome, errors.NotWritten) and not isinstance(outcome, answered)


def submitted(
    results: list[JobResult], refused: Mapping[str, Exception], record: Record | None
) -> Submitted:
    """Return the reply; with `refused`, those of a call that has no run.

    Raises Unreachable or Halted when that is the error of each target.
    """
    if refused and len(refused) == len(results):
        if all(map(was_away, refused.values())):
            raise Unreachable("the Kubernetes API cannot be reached now; no job was created")
        if all(isinstance(error, Halted) for error in refused.values()):
            raise Halted(str(next(iter(refused.values()))))
    run = None if record is None else record.run
    return Submitted(results, run, record is not None and not record.is_new)


def checked(uuid: str, refused: Mapping[str, Exception]) -> JobResult:
    """Return the result of a call that is only validated."""
    return result(uuid, refused.get(uuid) or JobResult(uuid, "Pending"))


def result(uuid: str, outcome: JobResult | BaseException) -> JobResult:
    """Return the outcome on one target as a result; raises one that is no error, as a cancel is."""
    if isinstance(outcome, JobResult):
        return outcome
    if not isinstance(outcome, Exception):
        raise outcome
    return JobResult(uuid, "Failed", error=told_to_caller(uuid, outcome))


def told_to_caller(uuid: str, error: Exception) -> str:
    """Return the text for the caller: a CallError's own; of other errors the one in the table."""
    if isinstance(error, CallError):
        return str(error)
    answer = answer_for(error)
    if answer is INTERNAL:
        _log.warning("a target got no job", target=uuid, exc_info=error)
    else:
        _log.warning("a target got no job", target=uuid, error=told(error))
    return answer.message or str(error)
