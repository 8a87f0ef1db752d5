"""One line in the log when a job starts, and one when it ends.

Made from what the cache sees and not from a write: a write whose answer was lost has its line, too.
"""

import structlog

from controller.jobs import spans
from krkn_grpc.kube.informer import CacheChange
from krkn_grpc.resources import well_known
from krkn_grpc.resources.chaos_job import ChaosJob

_log = structlog.get_logger(__name__)


def changed(change: CacheChange[ChaosJob]) -> None:
    """Log the start or the end that this change of the cache shows; to be called by the leader.

    A job that ended before its start was seen has both lines.
    """
    old, new = change.old, change.new
    if old is None or old.status.is_final:
        return
    if new is None or new.metadata.uid != old.metadata.uid:
        _log.info("job deleted", **_facts(old), status=old.status.phase)
        return
    status = new.status
    if old.status.start_time is None and status.start_time is not None:
        _log.info("job started", **_facts(new), status="Running", pod=status.pod_name)
    if status.is_final:
        seconds = status.duration_seconds
        took = {} if seconds is None else {"duration_seconds": seconds}
        _log.info("job ended", **_facts(new), status=status.phase, reason=status.reason, **took)


def log_fields(job: ChaosJob) -> dict[str, str]:
    """Return what is in every line about a job: its id, and those of its call and its trace."""
    trace, call = job.metadata.annotations.get(well_known.TRACE), spans.of_call(job)
    told = {"job": job.metadata.name, "trace": trace, "trace_id": call and call.trace_id}
    return {name: value for name, value in told.items() if value}


def _facts(job: ChaosJob) -> dict[str, str]:
    spec = job.spec
    named = {
        "run": spec.run_id,
        "target": spec.target_uuid,
        "cluster": spec.cluster_name,
        "scenario": spec.scenario_name,
        "user": spec.requested_by,
    }
    return log_fields(job) | {name: value for name, value in named.items() if value}
