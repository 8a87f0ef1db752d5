"""The outcomes of jobs that are gone, or about to go, until the status of their run has them."""

from collections.abc import Iterable, Mapping, MutableMapping

from cachetools import LRUCache

from controller.runs.model import Outcome
from krkn_grpc.resources.chaos_job import ChaosJob

_MOST_RUNS = 16_384
_OUTCOMES: dict[str, Outcome] = {"Succeeded": "succeeded", "Failed": "failed"}


class Departures:
    """What this process has seen; jobs that are missing otherwise are looked up.

    A standby sees all and writes nothing, so there is a limit.
    """

    def __init__(self) -> None:
        """Start without any."""
        self._outcomes: MutableMapping[str, dict[str, Outcome]] = LRUCache(_MOST_RUNS)

    def add(self, job: ChaosJob) -> None:
        """Note that the job goes; one that is not final is stopped by that."""
        if job.spec.run_id:
            known = self._outcomes.setdefault(job.spec.run_id, {})
            known[job.metadata.name] = outcome_of(job)

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


def outcome_of(job: ChaosJob) -> Outcome:
    """Return the outcome of a job that goes."""
    return _OUTCOMES.get(job.status.phase, "stopped")
