"""How a run ended, target by target."""

from collections.abc import Sequence
from dataclasses import dataclass

from krkn_grpc.client.models import Job, TargetJobResult
from krkn_grpc.client.statuses import JobStatus

_HEADER = ("TARGET", "STATUS", "EXIT", "WHY")


@dataclass(frozen=True)
class Outcome:
    """The jobs of a run, in the order of its targets, and the targets that have none."""

    run_id: str
    jobs: tuple[Job, ...]
    refused: tuple[TargetJobResult, ...]

    @property
    def succeeded(self) -> bool:
        """Whether each job has succeeded, and no target was refused."""
        return not self.refused and not self.failed

    @property
    def failed(self) -> tuple[Job, ...]:
        """The jobs that did not succeed: failed, stopped, or deleted."""
        return tuple(job for job in self.jobs if job.status is not JobStatus.SUCCEEDED)

    def table(self) -> str:
        """Return a line for each target, as text in columns."""
        told = [*map(_row, self.jobs)]
        told += [(each.target_uuid, "Refused", "", each.error or "") for each in self.refused]
        rows = [_HEADER, *(tuple(map(_shown, row)) for row in told)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(_line(row, widths) for row in rows)


def _shown(text: str) -> str:
    """Return the text on one line, and without what moves a terminal."""
    return "".join(each if each.isprintable() else " " for each in text)


def _row(job: Job) -> tuple[str, str, str, str]:
    code = "" if job.exit_code is None else str(job.exit_code)
    why = job.message if job.status is not JobStatus.SUCCEEDED else ""
    return (job.cluster_name or job.target_uuid, str(job.status), code, why)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(map(str.ljust, row, widths)).rstrip()
