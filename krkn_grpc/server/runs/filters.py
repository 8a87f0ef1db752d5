"""The filters of lists and watches of jobs."""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from krkn_grpc.kube import index
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.index import Position
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources import ids, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.label_selector import Selector
from krkn_grpc.server import labels
from krkn_grpc.server.errors import Findings, NoSuch

STATUSES = ("Pending", "Running", "Stopping", "Succeeded", "Failed", "Stopped")
_ABSENT = "there is no such job"
# The most labels of a run. kubectl may give a job more.
MOST_GROUPED = 64
_MORE_LABELS = "more labels"
# Replaces a malformed targetUUID or runId: no job has it.
_NO_ID = "-"


class Filters(Protocol):
    """The fields that the requests of a list and of a watch share."""

    target_uuid: str
    status: str
    scenario_name: str
    cluster_name: str
    run_id: str
    label_selector: str


@dataclass(frozen=True)
class Filter:
    """Selects jobs that meet all given conditions; `spelling` identifies the filter in tokens."""

    target_uuid: str
    status: str
    scenario_name: str
    cluster_name: str
    run_id: str
    selects: Selector
    spelling: tuple[str, ...]

    def passes(self, job: ChaosJob) -> bool:
        """Whether the job meets all conditions."""
        return (
            (not self.target_uuid or job.spec.target_uuid == self.target_uuid)
            and (not self.status or job.public_status == self.status)
            and (not self.scenario_name or job.spec.scenario_name == self.scenario_name)
            and (not self.cluster_name or job.spec.cluster_name == self.cluster_name)
            and (not self.run_id or job.spec.run_id == self.run_id)
            and self.selects(job.metadata.labels)
        )

    def among(self, jobs: ObjectCache[ChaosJob], before: Position | None) -> Iterable[ChaosJob]:
        """Return the jobs that pass, newest first, from `before` on."""
        found = [jobs.newest(group, before) for group in self.groups(jobs)]
        return filter(self.passes, _merged(found))

    def present(self, jobs: ObjectCache[ChaosJob]) -> tuple[Iterable[ChaosJob], int]:
        """Return the jobs that pass, as the watch has sent them, and the revision it reached."""
        found = [jobs.seen(group) for group in self.groups(jobs)]
        return filter(self.passes, _merged([each for each, _ in found])), found[0][1]

    def groups(self, jobs: ObjectCache[ChaosJob]) -> list[str]:
        """Return the smallest index groups that together contain every job that passes."""
        given = _groups(
            self.target_uuid, self.status, self.scenario_name, self.cluster_name, self.run_id
        )
        smallest = min(given, key=jobs.count)
        by_label = min(_of_labels(self.selects.pairs), key=jobs.count, default=smallest)
        # Jobs with more labels than are indexed are only in this group.
        both = [by_label, _MORE_LABELS] if jobs.count(_MORE_LABELS) else [by_label]
        return both if sum(map(jobs.count, both)) < jobs.count(smallest) else [smallest]


def checked(request: Filters) -> Filter:
    """Return the request's filter; raises InvalidRequest."""
    findings = Findings()
    rule = f"must be one of {', '.join(STATUSES)}"
    findings.expect(not request.status or request.status in STATUSES, "status", rule)
    selects = labels.selector(request.label_selector, findings)
    findings.settle()
    given = (
        _id(request.target_uuid),
        request.status,
        request.scenario_name,
        request.cluster_name,
        _id(request.run_id),
    )
    return Filter(*given, selects, (*given, request.label_selector))


def index_func(job: ChaosJob) -> list[str]:
    """Return a job's index groups in the cache, so that a filter need not scan all jobs.

    Only the first 64 labels have groups: a group costs a job more memory than the label itself.
    """
    spec = job.spec
    found = _groups(
        spec.target_uuid, job.public_status, spec.scenario_name, spec.cluster_name, spec.run_id
    )
    by_label = _of_labels(job.metadata.labels.items())
    if len(by_label) > MOST_GROUPED:
        by_label = [*by_label[:MOST_GROUPED], _MORE_LABELS]
    return found + by_label


def _id(given: str) -> str:
    return given if not given or ids.is_id(given) else _NO_ID


def _groups(
    target_uuid: str, status: str, scenario_name: str, cluster_name: str, run_id: str
) -> list[str]:
    given = (
        ("target", target_uuid),
        ("status", status),
        ("scenario", scenario_name),
        ("cluster", cluster_name),
        ("run", run_id),
    )
    return [index.ALL, *(f"{kind} {value}" for kind, value in given if value)]


def _of_labels(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"label {key}={value}" for key, value in pairs if key not in well_known.RESERVED]


def _merged(found: list[Iterable[ChaosJob]]) -> Iterable[ChaosJob]:
    """Return the jobs of all groups, newest first, each once."""
    if len(found) == 1:
        return found[0]
    merged = heapq.merge(*found, key=index.position_of, reverse=True)
    return (next(same) for _, same in itertools.groupby(merged, key=index.position_of))


async def find(jobs: Informer[ChaosJob], job_id: str) -> ChaosJob:
    """Return a job from the cache, else from the API server; raises NoSuch."""
    if not ids.is_id(job_id):
        raise NoSuch(_ABSENT)
    return jobs.get(job_id) or await find_live(jobs, job_id)


async def find_live(jobs: Informer[ChaosJob], job_id: str) -> ChaosJob:
    """Return a job from the API server; raises NoSuch."""
    try:
        return await jobs.client.get(job_id)
    except NotFound:
        raise NoSuch(_ABSENT) from None
