"""Which jobs a list or a watch shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from krkn_grpc.kube import groups
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.groups import Position
from krkn_grpc.resources import ids, labels
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.server.errors import NoSuch
from krkn_grpc.server.findings import Findings
from krkn_grpc.server.runs import selector
from krkn_grpc.server.runs.selector import BadSelector, Selector

STATUSES = ("Pending", "Running", "Stopping", "Succeeded", "Failed", "Stopped")
_ABSENT = "there is no such job"
# Stands for every targetUUID that is no id: no job has it.
_NO_TARGET = "-"


class Filters(Protocol):
    """The fields that the requests of a list and of a watch share."""

    target_uuid: str
    status: str
    scenario_name: str
    label_selector: str


@dataclass(frozen=True)
class Filter:
    """Jobs pass when they pass all that is given; `spelling` tells filters apart in tokens."""

    target_uuid: str
    status: str
    scenario_name: str
    selects: Selector
    spelling: tuple[str, ...]

    def passes(self, job: ChaosJob) -> bool:
        """Whether the job is among those that were asked for."""
        return (
            (not self.target_uuid or job.spec.target_uuid == self.target_uuid)
            and (not self.status or job.public_status == self.status)
            and (not self.scenario_name or job.spec.scenario_name == self.scenario_name)
            and self.selects(job.metadata.labels)
        )

    def among(self, jobs: WatchCache[ChaosJob], before: Position | None) -> Iterable[ChaosJob]:
        """Return the jobs that pass, newest first, from `before` on."""
        return filter(self.passes, jobs.newest(self.smallest_group(jobs), before))

    def smallest_group(self, jobs: WatchCache[ChaosJob]) -> str:
        """Return the smallest group that has all jobs that pass: no others need be looked at."""
        found = _groups(self.target_uuid, self.status, self.scenario_name, self.selects.pairs)
        return min(found, key=jobs.count)


def checked(request: Filters) -> Filter:
    """Return the request's filter; raises InvalidRequest."""
    findings = Findings()
    rule = f"must be one of {', '.join(STATUSES)}"
    findings.expect(not request.status or request.status in STATUSES, "status", rule)
    try:
        selects = selector.parse(request.label_selector)
    except BadSelector:
        findings.expect(False, "labelSelector", "is not a label selector")
        selects = selector.parse("")
    findings.settle()
    target_uuid = request.target_uuid
    if target_uuid and not ids.is_id(target_uuid):
        target_uuid = _NO_TARGET
    given = (target_uuid, request.status, request.scenario_name)
    return Filter(*given, selects, (*given, request.label_selector))


def groups_of(job: ChaosJob) -> list[str]:
    """Return the groups that a cache keeps of jobs, so that no filter has to look at all."""
    spec, own = job.spec, job.metadata.labels
    return _groups(spec.target_uuid, job.public_status, spec.scenario_name, own.items())


def _groups(
    target_uuid: str, status: str, scenario_name: str, pairs: Iterable[tuple[str, str]]
) -> list[str]:
    given = (("target", target_uuid), ("status", status), ("scenario", scenario_name))
    return [
        groups.ALL,
        *(f"{kind} {value}" for kind, value in given if value),
        *(f"label {key}={value}" for key, value in pairs if key not in labels.RESERVED),
    ]


async def find(jobs: WatchCache[ChaosJob], job_id: str) -> ChaosJob:
    """Return a job; what the cache does not have yet is asked of the API server."""
    if not ids.is_id(job_id):
        raise NoSuch(_ABSENT)
    return jobs.get(job_id) or await find_live(jobs, job_id)


async def find_live(jobs: WatchCache[ChaosJob], job_id: str) -> ChaosJob:
    """Return a job as the API server has it now."""
    try:
        return await jobs.store.get(job_id)
    except NotFound:
        raise NoSuch(_ABSENT) from None
