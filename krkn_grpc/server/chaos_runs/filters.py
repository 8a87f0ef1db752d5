"""The filters of lists of runs."""

from collections.abc import Iterable
from dataclasses import dataclass

from krkn_grpc.kube import index
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.index import Position
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources import ids, well_known
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.resources.label_selector import Selector
from krkn_grpc.server import labels
from krkn_grpc.server.errors import Findings, NoSuch
from krkn_grpc.v1 import runs_pb2 as pb

STATUSES = (
    *("Pending", "Running", "Stopping"),
    *("Succeeded", "PartiallyFailed", "Failed", "Stopped"),
)
ABORTABLE = "may be aborted"
"""The index group of the runs that an alert may still stop."""

NO_SUCH_RUN = "there is no such run"


@dataclass(frozen=True)
class Filter:
    """Selects runs that meet all given conditions; `spelling` identifies the filter in tokens."""

    status: str
    scenario_name: str
    requested_by: str
    selects: Selector
    spelling: tuple[str, ...]

    def passes(self, run: ChaosRun) -> bool:
        """Whether the run meets all conditions."""
        return (
            (not self.status or run.public_status == self.status)
            and (not self.scenario_name or run.spec.scenario_name == self.scenario_name)
            and (not self.requested_by or run.spec.requested_by == self.requested_by)
            and self.selects(run.metadata.labels)
        )

    def among(self, runs: ObjectCache[ChaosRun], before: Position | None) -> Iterable[ChaosRun]:
        """Return the runs that pass, newest first, from `before` on."""
        groups = [
            *_groups(self.status, self.scenario_name, self.requested_by),
            *_of_labels(self.selects.pairs),
        ]
        return filter(self.passes, runs.newest(min(groups, key=runs.count), before))


def checked(request: pb.ListRunsRequest) -> Filter:
    """Return the request's filter; raises InvalidRequest."""
    findings = Findings()
    rule = f"must be one of {', '.join(STATUSES)}"
    findings.expect(not request.status or request.status in STATUSES, "status", rule)
    selects = labels.selector(request.label_selector, findings)
    findings.settle()
    given = (request.status, request.scenario_name, request.requested_by)
    return Filter(*given, selects, (*given, request.label_selector))


def index_func(run: ChaosRun) -> list[str]:
    """Return a run's index groups in the cache, so that a filter need not scan all runs."""
    spec = run.spec
    return [
        *_groups(run.public_status, spec.scenario_name, spec.requested_by),
        *([ABORTABLE] if run.may_be_aborted else []),
        # A cache keeps a bounded number of labels. Only those who restore a backup write runs that
        # have more labels than a request.
        *_of_labels(run.metadata.labels.items()),
    ]


def _groups(status: str, scenario_name: str, requested_by: str) -> list[str]:
    given = (("status", status), ("scenario", scenario_name), ("by", requested_by))
    return [index.ALL, *(f"{kind} {value}" for kind, value in given if value)]


def _of_labels(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"label {key}={value}" for key, value in pairs if key not in well_known.RESERVED]


async def find(runs: Informer[ChaosRun], run_id: str) -> ChaosRun:
    """Return a run from the cache, else from the API server; raises NoSuch."""
    if not ids.is_id(run_id):
        raise NoSuch(NO_SUCH_RUN)
    return runs.get(run_id) or await find_live(runs.client, run_id)


async def find_live(runs: ResourceClient[ChaosRun], run_id: str) -> ChaosRun:
    """Return a run from the API server; raises NoSuch."""
    if not ids.is_id(run_id):
        raise NoSuch(NO_SUCH_RUN)
    try:
        return await runs.get(run_id)
    except NotFound:
        raise NoSuch(NO_SUCH_RUN) from None
