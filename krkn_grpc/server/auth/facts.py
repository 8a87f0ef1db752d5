"""What the audit log tells of a call: ids, counts and a cluster's name, and no other text.

A caller may put anything into a request, a password in the wrong field too: so what is not an id
is only counted.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from krkn_grpc.resources import ids
from krkn_grpc.v1 import scenario_runs_pb2 as runs
from krkn_grpc.v1 import targets_pb2

Facts: TypeAlias = dict[str, object]

_MOST_IDS = 1_000
_LONGEST_NAME = 253


@dataclass(frozen=True)
class Audit:
    """How to find the facts of a call in its request and in its reply."""

    asked: Callable[[Any], Facts]
    told: Callable[[Any], Facts]


def _new_target(request: targets_pb2.CreateTargetRequest) -> Facts:
    return {"cluster": request.cluster_name[:_LONGEST_NAME]}


def _created_target(reply: targets_pb2.CreateTargetResponse) -> Facts:
    return {"targets": [reply.uuid]}


def _changed_target(request: targets_pb2.UpdateTargetRequest) -> Facts:
    return {"cluster": request.cluster_name[:_LONGEST_NAME], **_ids("targets", [request.uuid])}


def _deleted_target(request: targets_pb2.DeleteTargetRequest) -> Facts:
    return _ids("targets", [request.uuid])


def _asked_run(request: runs.RunScenarioRequest) -> Facts:
    # Else it would look as if there were jobs of that run.
    only = {"validate_only": True} if request.validate_only else {}
    return only | _ids("targets", request.target_uuids)


def _created_jobs(reply: runs.RunScenarioResponse) -> Facts:
    # A job whose creation is Unknown has an id too, and no validation has one.
    return {
        "created": sum(job.success and job.job_id != "" for job in reply.jobs),
        "failed": reply.failed_jobs,
        "jobs": [job.job_id for job in reply.jobs if job.job_id],
    }


def _asked_stop(request: runs.StopScenarioRunRequest) -> Facts:
    return _ids("jobs", [request.job_id])


def _stopped_job(reply: runs.Job) -> Facts:
    return {"targets": [reply.target_uuid], "status": reply.status}


def _nothing(_: object) -> Facts:
    return {}


def _ids(key: str, given: Iterable[str]) -> Facts:
    all_given = list(given)
    known = [text for text in all_given[:_MOST_IDS] if ids.is_id(text)]
    others = len(all_given) - len(known)
    return {key: known, f"other_{key}": others} if others else {key: known}


CREATE_TARGET = Audit(_new_target, _created_target)
UPDATE_TARGET = Audit(_changed_target, _nothing)
DELETE_TARGET = Audit(_deleted_target, _nothing)
RUN = Audit(_asked_run, _created_jobs)
STOP = Audit(_asked_stop, _stopped_job)
