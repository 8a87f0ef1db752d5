"""The outcomes of jobs that are gone, or about to go, until the status of their run has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.runs.model import Outcome
from krkn_grpc.resources.chaos_job import ChaosJob


@dataclass(frozen=True)
class Departures:
    """What this process has seen; after a restart, the jobs that are missing are looked up."""

    _outcomes: dict[str, dict[str, Outcome]] = field(default_factory=dict)

    def add(self, job: ChaosJob) -> None:
        """Note that the job goes; one that is not final is stopped by that."""
        outcome: Outcome = "stopped"
        if job.status.phase == "Succeeded":
            outcome = "succeeded"
        elif job.status.phase == "Failed":
            outcome = "failed"
        if job.spec.run_id:
            self._outcomes.setdefault(job.spec.run_id, {})[job.metadata.name] = outcome

    def of(self, run_id: str) -> Mapping[str, Outcome]:
        """Return the outcomes of a run's jobs, by id."""
        return self._outcomes.get(run_id, {})

    def forget(self, run_id: str, job_ids: Iterable[str] | None = None) -> None:
        """Drop the outcomes of these jobs, or of the whole run."""
        if job_ids is None:
            self._outcomes.pop(run_id, None)
        elif (known := self._outcomes.get(run_id)) is not None:
            for job_id in job_ids:
                known.pop(job_id, None)
            if not known:
                del self._outcomes[run_id]
