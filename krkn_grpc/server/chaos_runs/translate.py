"""Translates run resources to replies."""

import msgspec

from krkn_grpc.resources.chaos_run import ChaosRun
from krkn_grpc.server import labels
from krkn_grpc.server.times import rfc3339
from krkn_grpc.v1 import runs_pb2 as pb


def whole(run: ChaosRun) -> pb.Run:
    """Return the reply for one run."""
    message = in_list(run)
    message.targets.extend(
        pb.RunTarget(target_uuid=each.target_uuid, job_id=each.job_id) for each in run.spec.targets
    )
    message.refused.extend(
        pb.RefusedTarget(target_uuid=each.target_uuid, error=each.error)
        for each in run.spec.refused
    )
    return message


def in_list(run: ChaosRun) -> pb.Run:
    """Return the reply for a run in a list: without its targets, of which there may be 1,000."""
    spec, status, metadata = run.spec, run.status, run.metadata
    return pb.Run(
        run_id=metadata.name,
        status=run.public_status,
        scenario_name=spec.scenario_name,
        scenario_image=spec.scenario_image,
        kubeconfig_path=spec.kubeconfig_path,
        environment=spec.environment,
        secret_environment_names=spec.secret_environment,
        file_names=[file.name for file in spec.files],
        timeout_seconds=spec.timeout_seconds,
        ttl_seconds_after_finished=spec.ttl_seconds_after_finished,
        labels=labels.shown(metadata.labels),
        requested_by=spec.requested_by,
        created_at=rfc3339(metadata.creation_timestamp),
        start_time=rfc3339(status.start_time),
        completion_time=rfc3339(status.completion_time),
        counts=pb.RunCounts(**msgspec.structs.asdict(run.counts)),
        max_parallel=spec.max_parallel,
        max_failures=spec.max_failures,
        abort_running=spec.abort_running,
        queue_seconds=spec.queue_seconds,
        on_busy=spec.on_busy,
        abort_on=spec.abort_on,
        stop=(
            None
            if spec.stop is None
            else pb.RunStop(reason=spec.stop.reason, message=spec.stop.message, by=spec.stop.by)
        ),
    )
