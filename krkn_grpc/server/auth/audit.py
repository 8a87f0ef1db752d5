"""The audit log: one line for each call that changes something, also when it was refused.

Fields: event "audit", user, method, the facts of request and reply, and outcome: the gRPC code.
In a service mesh there is mesh_caller, too: the identity of the workload, which grants nothing.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO, TypeAlias

import structlog
from grpc import StatusCode

from krkn_grpc.resources import ids, label_grammar
from krkn_grpc.server.errors import answer_for
from krkn_grpc.v1 import alerts_pb2, halts_pb2, runs_pb2, target_requests_pb2, targets_pb2
from krkn_grpc.v1 import scenario_runs_pb2 as runs

Facts: TypeAlias = dict[str, object]

_MOST_IDS = 1_000
_LONGEST_NAME = 253
_LONGEST_REASON = 1_024


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


def _patched_target(request: targets_pb2.PatchTargetRequest) -> Facts:
    cluster = {"cluster": request.cluster_name[:_LONGEST_NAME]} if request.cluster_name else {}
    return {**cluster, **_ids("targets", [request.uuid])}


def _one_target(request: targets_pb2.CheckTargetRequest | targets_pb2.DeleteTargetRequest) -> Facts:
    return _ids("targets", [request.uuid])


def _created_request(reply: target_requests_pb2.DiscoverTargetsResponse) -> Facts:
    return {"requests": [reply.uuid]}


def _deleted_request(request: target_requests_pb2.DeleteDiscoveryRequest) -> Facts:
    return _ids("requests", [request.uuid])


def _asked_halt(request: halts_pb2.CreateHaltRequest) -> Facts:
    return {
        "reason": request.reason[:_LONGEST_REASON],
        "selector": request.target_selector[:_LONGEST_REASON],
    }


def _created_halt(reply: halts_pb2.Halt) -> Facts:
    return {"halts": [reply.name]}


def _deleted_halt(request: halts_pb2.DeleteHaltRequest) -> Facts:
    return {"halts": [request.name] if label_grammar.is_subdomain(request.name) else []}


def _asked_run(request: runs.RunScenarioRequest) -> Facts:
    # Without this, the line would suggest that the run has jobs.
    only = {"validate_only": True} if request.validate_only else {}
    return only | _ids("targets", request.target_uuids)


def _created_jobs(reply: runs.RunScenarioResponse) -> Facts:
    # A job with the status Unknown has an id too; a validated target has none.
    return {
        "created": sum(job.success and job.job_id != "" for job in reply.jobs),
        "failed": reply.failed_jobs,
        "jobs": [job.job_id for job in reply.jobs if job.job_id],
        **_ids("runs", [reply.run_id] if reply.run_id else []),
    }


def _asked_stop(request: runs.StopScenarioRunRequest) -> Facts:
    return _ids("jobs", [request.job_id])


def _stopped_job(reply: runs.Job) -> Facts:
    return {"targets": [reply.target_uuid], "status": reply.status}


def _asked_rerun(request: runs.RerunRunRequest) -> Facts:
    only = {"only_failed": True} if request.only_failed else {}
    return only | _ids("again", [request.run_id])


def _asked_stop_of_run(request: runs_pb2.StopRunRequest) -> Facts:
    return _ids("runs", [request.run_id])


def _stopped_run(reply: runs_pb2.Run) -> Facts:
    return {"status": reply.status}


def _sent_alerts(request: alerts_pb2.ReceiveAlertsRequest) -> Facts:
    return {"alerts": len(request.alerts)}


def _aborted(reply: alerts_pb2.ReceiveAlertsResponse) -> Facts:
    return {"matched": reply.matched, "stopped": reply.stopped}


def _nothing(_: object) -> Facts:
    return {}


def _ids(key: str, given: Sequence[str]) -> Facts:
    known = [text for text in given[:_MOST_IDS] if ids.is_id(text)]
    others = len(given) - len(known)
    return {key: known, f"other_{key}": others} if others else {key: known}


def unfiltered(file: TextIO) -> Any:
    """Return a separate logger, because no log level may silence the audit log."""
    return structlog.wrap_logger(
        structlog.PrintLogger(file),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


_audit = unfiltered(sys.stderr)


class Entry:
    """The audit line of one call, filled as the call goes on and written once."""

    def __init__(self, audit: Audit, method: str, mesh_caller: str = "") -> None:
        """Start with the method; the caller is not known yet."""
        self._audit = audit
        self._facts: Facts = {"user": "", "method": method}
        if mesh_caller:
            self._facts["mesh_caller"] = mesh_caller

    def called_by(self, user: str) -> None:
        """Record the caller."""
        self._facts["user"] = user

    def asks(self, request: Any) -> None:
        """Record the facts of the request."""
        self._facts |= self._audit.asked(request)

    def done(self, reply: Any) -> None:
        """Write the line of a successful call."""
        _audit.info("audit", **self._facts | self._audit.told(reply), outcome="OK")

    def failed(self, error: BaseException) -> None:
        """Write the line of a call that was refused, failed or cancelled."""
        is_left = isinstance(error, asyncio.CancelledError)
        code = StatusCode.CANCELLED if is_left else answer_for(error).code
        _audit.info("audit", **self._facts, outcome=code.name)


CREATE_TARGET = Audit(_new_target, _created_target)
UPDATE_TARGET = Audit(_changed_target, _nothing)
PATCH_TARGET = Audit(_patched_target, _nothing)
CHECK_TARGET = Audit(_one_target, _nothing)
DELETE_TARGET = Audit(_one_target, _nothing)
DISCOVER = Audit(_nothing, _created_request)
DELETE_DISCOVERY = Audit(_deleted_request, _nothing)
CREATE_HALT = Audit(_asked_halt, _created_halt)
DELETE_HALT = Audit(_deleted_halt, _nothing)
RUN = Audit(_asked_run, _created_jobs)
RERUN = Audit(_asked_rerun, _created_jobs)
STOP = Audit(_asked_stop, _stopped_job)
STOP_RUN = Audit(_asked_stop_of_run, _stopped_run)
RECEIVE_ALERTS = Audit(_sent_alerts, _aborted)
