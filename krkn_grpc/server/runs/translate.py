"""Translates job resources to replies."""

from collections.abc import Sequence

from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.resources.reported_result import ReportedResult
from krkn_grpc.server.runs.model import Run
from krkn_grpc.server.runs.results import JobResult
from krkn_grpc.server.times import rfc3339
from krkn_grpc.v1 import scenario_runs_pb2 as pb

IGNORED = "These options are accepted for compatibility and have no effect: {}."
_MADE = "The run of this requestId was already made{}."


def job_message(job: ChaosJob) -> pb.Job:
    """Return the reply for one job."""
    spec, status, metadata = job.spec, job.status, job.metadata
    sentences = [status.message] if status.message else []
    if ignored := metadata.annotations.get(well_known.IGNORED_OPTIONS):
        sentences.append(IGNORED.format(ignored))
    return pb.Job(
        job_id=metadata.name,
        target_uuid=spec.target_uuid,
        scenario_name=spec.scenario_name,
        status=job.public_status,
        pod_name=names.pod_for(metadata.name),
        start_time=rfc3339(status.start_time),
        completion_time=rfc3339(status.completion_time),
        message=" ".join(sentences),
        reason=status.reason,
        exit_code=status.exit_code,
        created_at=rfc3339(metadata.creation_timestamp),
        requested_by=spec.requested_by,
        labels={
            key: value for key, value in metadata.labels.items() if key not in well_known.RESERVED
        },
        cluster_name=spec.cluster_name,
        scenario_image=spec.scenario_image,
        timeout_seconds=spec.timeout_seconds,
        ttl_seconds_after_finished=spec.ttl_seconds_after_finished,
        environment=spec.environment,
        secret_environment_names=spec.secret_environment,
        file_names=[file.name for file in spec.files],
        run_id=spec.run_id,
        result=_result(status.result),
    )


def _result(said: ReportedResult | None) -> pb.ReportedResult | None:
    if said is None:
        return None
    return pb.ReportedResult(
        run_uuid=said.run_uuid,
        scenarios=[
            pb.ReportedScenario(
                name=each.name,
                type=each.type,
                exit_status=each.exit_status,
                affected_pods=each.affected_pods,
                affected_nodes=each.affected_nodes,
            )
            for each in said.scenarios
        ],
        resiliency_score=said.resiliency_score,
        passed_slos=said.passed_slos,
        total_slos=said.total_slos,
        failed_alerts=said.failed_alerts,
        health_checks=[
            pb.ReportedHealthCheck(url=each.url, passed=each.passed) for each in said.health_checks
        ],
    )


def run_message(
    run: Run, results: Sequence[JobResult], stored: ChaosRun | None, *, may_see: bool = True
) -> pb.RunScenarioResponse:
    """Return the reply for a run: one entry per target, in the order of the request.

    `may_see`: the reply may tell the status of a run that is only found by a validation.
    """
    notes = [IGNORED.format(", ".join(run.ignored))] if run.ignored else []
    if run.warning:
        notes.append(run.warning)
    if run.validate_only and stored is not None:
        notes.append(_MADE.format(f": {stored.public_status}" if may_see else ""))
    successful = sum(result.status == "Pending" for result in results)
    return pb.RunScenarioResponse(
        jobs=[
            pb.TargetJobResult(
                target_uuid=result.target_uuid,
                job_id=result.job_id,
                status=result.status,
                pod_name=result.pod_name,
                success=result.status == "Pending",
                error=result.error,
            )
            for result in results
        ],
        total_targets=len(results),
        successful_jobs=successful,
        failed_jobs=len(results) - successful,
        message=" ".join(notes) or None,
        run_id="" if stored is None else stored.metadata.name,
    )
