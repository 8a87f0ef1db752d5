"""Builds the request that runs once more what a run has run; it then goes the way of any other."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from krkn_grpc.kube.object_cache import ObjectCache
from krkn_grpc.resources import ids
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.server.errors import Findings, NothingToRerun, OutcomesGone, SecretsMissing
from krkn_grpc.v1 import scenario_runs_pb2 as pb

_LONGEST_NAME = 200
_MOST_TOLD = 20
_LONGEST_LIST = 1_000


def request(run: ChaosRun, asked: pb.RerunRunRequest, targets: list[str]) -> pb.RunScenarioRequest:
    """Return the request for these targets; raises InvalidRequest and SecretsMissing.

    Its secret inputs are those of `asked`, which must have exactly those that the run had.
    """
    spec = run.spec
    _check_secrets(run, asked)
    return pb.RunScenarioRequest(
        target_uuids=targets,
        scenario_name=spec.scenario_name,
        scenario_image=spec.scenario_image,
        kubeconfig_path=spec.kubeconfig_path,
        environment=spec.environment,
        secret_environment=asked.secret_environment,
        files=asked.files,
        registry_url=spec.registry_url,
        username=asked.username,
        password=asked.password,
        token=asked.token,
        request_id=asked.request_id,
        require_ready=spec.require_ready,
        timeout_seconds=spec.timeout_seconds,
        ttl_seconds_after_finished=spec.ttl_seconds_after_finished,
        labels=spec.labels,
        queue_seconds=spec.queue_seconds,
        on_busy=spec.on_busy,
        max_parallel=spec.max_parallel,
        max_failures=spec.max_failures,
        abort_running=spec.abort_running,
        abort_on=spec.abort_on,
    )


def all_targets(run: ChaosRun) -> list[str]:
    """Return the targets that got a job, and after them those that were refused."""
    spec = run.spec
    return [
        *(each.target_uuid for each in spec.targets),
        *(each.target_uuid for each in spec.refused),
    ]


def failed_targets(
    run: ChaosRun, jobs: ObjectCache[ChaosJob], now: datetime, longest_call: timedelta
) -> list[str]:
    """Return the targets without success: refused, Failed, or the job is gone without success.

    Raises NothingToRerun when there is none, and OutcomesGone when that is not known any more.
    """
    written_by = run.written_by(longest_call)
    is_closed = written_by is None or now > written_by
    found = {each.job_id: jobs.get(each.job_id) for each in run.spec.targets}
    without_success = _gone_without_success(run, found)
    gone = found.keys() if run.status.is_final else frozenset(run.status.departed)

    def has_failed(job_id: str) -> bool:
        job = found[job_id]
        if job is not None:
            return job.status.phase == "Failed"
        # One that is missing and not gone is about to be created, or never was.
        return job_id in without_success if job_id in gone else is_closed

    failed = {each.target_uuid for each in run.spec.targets if has_failed(each.job_id)}
    failed.update(each.target_uuid for each in run.spec.refused)
    if not failed:
        raise NothingToRerun("no job of the run has failed, and no target was refused")
    return [uuid for uuid in all_targets(run) if uuid in failed]


def _gone_without_success(run: ChaosRun, found: Mapping[str, ChaosJob | None]) -> frozenset[str]:
    """Return the ids of the deleted jobs if none of them succeeded, none if all did.

    The run counts their outcomes, and does not say which was whose; so it raises OutcomesGone where
    they differ. A run that is final counts a job already when it ends; one that is not, when it
    departs, and a job that has departed may still be there for a moment.
    """
    status = run.status
    counted = found if status.is_final else {each: found.get(each) for each in status.departed}
    there = [job for job in counted.values() if job is not None]
    gone = frozenset(job_id for job_id, job in counted.items() if job is None)
    all_succeeded = (run.counts if status.is_final else status.departed_counts).succeeded
    succeeded = all_succeeded - sum(job.status.phase == "Succeeded" for job in there)
    if 0 < succeeded < len(gone):
        raise OutcomesGone(
            f"{len(gone)} jobs of the run are deleted, and it is not known any more which"
            f" {succeeded} of them succeeded: run all targets again, or name the targets in a new"
            " run"
        )
    return gone if succeeded <= 0 else frozenset()


def targets_of(run: ChaosRun, made: ChaosRun) -> list[str]:
    """Return the targets of `made`, which an earlier attempt of this call has made, in their order.

    Jobs may have failed or gone since: the repetition of a call must not become another call.
    """
    chosen = frozenset(all_targets(made))
    return [uuid for uuid in all_targets(run) if uuid in chosen]


def _check_secrets(run: ChaosRun, asked: pb.RerunRunRequest) -> None:
    spec, findings = run.spec, Findings()
    for name in sorted(set(asked.secret_environment) - set(spec.secret_environment)):
        field = f"secretEnvironment[{name[:_LONGEST_NAME]}]"
        findings.expect(False, field, "is not a secret variable of the run")
    paths = {file.mount_path for file in spec.files}
    for index, file in enumerate(asked.files):
        rule = "is not that of a file of the run"
        findings.expect(file.mount_path in paths, f"files[{index}].mountPath", rule)
    if not spec.registry_url:
        for field in ("username", "password", "token"):
            rule = "is not needed: the run had no login at a registry"
            findings.expect(not getattr(asked, field), field, rule)
    is_request_id = not asked.request_id or ids.canonical(asked.request_id) is not None
    findings.expect(is_request_id, "requestId", "must be a UUID")
    findings.settle()
    if missing := list(_missing(run, asked)):
        more = f" and {len(missing) - _MOST_TOLD} more" if len(missing) > _MOST_TOLD else ""
        names = ", ".join(missing[:_MOST_TOLD])[:_LONGEST_LIST]
        raise SecretsMissing(f"give the secret inputs of the run again: {names}{more}")


def _missing(run: ChaosRun, asked: pb.RerunRunRequest) -> Iterator[str]:
    for name in run.spec.secret_environment:
        if name not in asked.secret_environment:
            yield f"secretEnvironment[{name[:_LONGEST_NAME]}]"
    given = {file.mount_path for file in asked.files}
    for file in run.spec.files:
        if file.mount_path not in given:
            yield f"files[{file.name[:_LONGEST_NAME]}] at {file.mount_path[:_LONGEST_NAME]}"
    if run.spec.registry_url and not (asked.password or asked.token):
        yield "password or token"
