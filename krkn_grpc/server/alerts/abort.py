"""Stops the runs that name an alert."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from krkn_grpc.kube import errors
from krkn_grpc.kube.deadline import Deadline
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.chaos_run import ABORT_CONDITION, ChaosRun, RunStop
from krkn_grpc.resources.text import on_one_line
from krkn_grpc.server.alerts.matching import Search
from krkn_grpc.server.chaos_runs.filters import ABORTABLE
from krkn_grpc.server.chaos_runs.stop import set_stop
from krkn_grpc.server.errors import TOO_LATE, Changed, NoSuch, Unreachable, without_frames
from krkn_grpc.server.fair_semaphore import FairSemaphore
from krkn_grpc.server.offload import offload
from krkn_grpc.told import told
from krkn_grpc.v1 import alerts_pb2 as pb

_FIRING = "firing"
_CONCURRENT_WRITES = 16
_LONGEST_NAME = 253
# A watch is milliseconds behind. Without events it sends no revision, so a longer wait is useless.
_LONGEST_WAIT_SECONDS = 0.25

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Aborted:
    """How many of the alerts some run names, and the runs that were stopped."""

    matched: int
    runs: list[ChaosRun]


@dataclass(frozen=True)
class Aborts:
    """Stops runs; nothing of an alert is kept."""

    runs: Informer[ChaosRun]
    _writes: FairSemaphore = field(default_factory=lambda: FairSemaphore(_CONCURRENT_WRITES))

    async def by_alerts(
        self, alerts: pb.ReceiveAlertsRequest, caller: str, deadline: Deadline
    ) -> Aborted:
        """Stop each run that names one of the firing alerts.

        Every run that was found is tried, and after that the first error is raised: of a write,
        Changed, or NotWritten when there was no time to find or to try all. Then another call with
        the same alerts does the rest.
        """
        labels = await offload(_firing, alerts)
        if not labels:
            return Aborted(0, [])
        search, is_whole = await self._searched(labels, deadline)
        found = {run.metadata.name: (run, labels[first]) for run, first in search.found}

        async def one(run_id: str) -> ChaosRun | Exception | None:
            run, alert = found[run_id]
            asked = RunStop(reason=ABORT_CONDITION, message=_message(alert), by=caller)
            try:
                stopped = await set_stop(self.runs, run, asked, deadline)
            except NoSuch:
                return None
            except Changed as error:
                # Alertmanager repeats a call at once only when the service is unavailable.
                return Unreachable(str(error))
            except Exception as error:
                return without_frames(error)
            return stopped if stopped.spec.stop is asked else None

        late = errors.NotWritten(TOO_LATE)
        outcomes = await self._writes.each(
            caller, list(found), one, seconds=deadline.remaining, late=late
        )
        failed = {run: error for run, error in outcomes.items() if isinstance(error, Exception)}
        for run_id, error in failed.items():
            _log.warning("a run was not stopped", run=run_id, error=told(error))
        for error in failed.values():
            raise error
        if not is_whole:
            raise late
        stopped = [run for run in outcomes.values() if isinstance(run, ChaosRun)]
        return Aborted(search.matched.bit_count(), stopped)

    async def _searched(
        self, labels: list[dict[str, str]], deadline: Deadline
    ) -> tuple[Search, bool]:
        """Return a search and whether it is at its end; raises the errors of a read.

        Half of the time is left for the stops of the runs that were found by then.
        """
        # A run that was made before this call may be news to this server.
        newest = await self.runs.client.list(limit=1)
        await self.runs.reached(newest.revision, _LONGEST_WAIT_SECONDS)
        runs = list(self.runs.newest(ABORTABLE, None))
        # Where there is not enough time, it is not always the same runs that are left over.
        random.shuffle(runs)
        enough = deadline.remaining / 2
        search = await offload(Search, labels, runs)
        while is_more := await offload(search.go_on):
            if deadline.remaining <= enough:
                break
        return search, not is_more


def _firing(request: pb.ReceiveAlertsRequest) -> list[dict[str, str]]:
    """Return the labels of the alerts that are firing."""
    return [dict(alert.labels) for alert in request.alerts if alert.status == _FIRING]


def _message(alert: Mapping[str, str]) -> str:
    """Return the sentence for the run; its name is the choice of the alert's sender."""
    name = alert.get("alertname", "")
    shown = on_one_line(name[: 2 * _LONGEST_NAME])[:_LONGEST_NAME]
    return f"The alert {shown} fires." if shown else "An alert without a name fires."
