"""Builds the objects of a run: the run itself, and a job and its Secrets for each target. Pure."""

import base64
from collections.abc import Sequence

import msgspec

from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.chaos_job import ChaosJob, ChaosJobSpec, JobFile
from krkn_grpc.resources.chaos_run import ChaosRun, ChaosRunSpec, RefusedTarget, RunTarget
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.target import Target
from krkn_grpc.server.runs.model import RegistryLogin, Run


def job(
    run: Run,
    target: Target,
    stored: ChaosRun,
    job_id: str,
    caller: str,
    trace: str = "",
    traceparent: str = "",
) -> ChaosJob:
    """Return the job, with the target's current cluster and Secret.

    `stored` is the resource of the run, `trace` the correlation id of the call, `traceparent` its
    place in a W3C trace, if it has one.
    """
    ours = {
        well_known.RUN_ID: stored.metadata.name,
        well_known.TARGET_UUID: target.metadata.name,
        well_known.SCENARIO_NAME: well_known.as_label_value(run.scenario_name),
    }
    noted = {well_known.TRACE: trace, well_known.TRACEPARENT: traceparent}
    annotations = {name: value for name, value in noted.items() if value}
    if run.ignored:
        annotations[well_known.IGNORED_OPTIONS] = ", ".join(run.ignored)
    return ChaosJob(
        metadata=ObjectMeta(
            name=job_id,
            namespace=target.metadata.namespace,
            labels=run.labels | ours,
            annotations=annotations,
        ),
        spec=ChaosJobSpec(
            job_id=job_id,
            target_uuid=target.metadata.name,
            target_uid=target.metadata.uid,
            target_secret_uuid=target.spec.secret_uuid,
            cluster_api_url=target.spec.cluster_api_url,
            cluster_name=target.spec.cluster_name,
            scenario_name=run.scenario_name,
            scenario_image=run.scenario_image,
            kubeconfig_path=run.kubeconfig_path,
            environment=run.environment,
            secret_environment=sorted(run.secret_environment),
            files=[JobFile(name=file.name, mount_path=file.mount_path) for file in run.files],
            pull_secret=run.registry is not None,
            timeout_seconds=run.timeout_seconds,
            ttl_seconds_after_finished=stored.spec.ttl_seconds_after_finished,
            queue_seconds=run.queue_seconds,
            on_busy=run.on_busy,
            request_id=run.request_id,
            run_id=stored.metadata.name,
            run_uid=stored.metadata.uid,
            requested_by=caller,
        ),
    )


def chaos_run(
    run: Run,
    metadata: ObjectMeta,
    targets: Sequence[RunTarget],
    refused: Sequence[RefusedTarget],
    *,
    fingerprint: str,
    idempotency_seconds: int,
    default_ttl_seconds: int | None,
    caller: str,
    trace: str = "",
) -> ChaosRun:
    """Return the resource of the run, without anything that is secret.

    `metadata` has name and namespace, `trace` is the correlation id of the call.
    `default_ttl_seconds` is used where the run gives no time to live; None: its jobs stay.
    """
    ttl_seconds = run.ttl_seconds_after_finished
    ours = {well_known.SCENARIO_NAME: well_known.as_label_value(run.scenario_name)}
    return ChaosRun(
        metadata=msgspec.structs.replace(
            metadata,
            labels=run.labels | ours,
            annotations={well_known.TRACE: trace} if trace else {},
        ),
        spec=ChaosRunSpec(
            targets=list(targets),
            refused=list(refused),
            fingerprint=fingerprint,
            request_id=run.request_id,
            idempotency_seconds=idempotency_seconds,
            scenario_name=run.scenario_name,
            scenario_image=run.scenario_image,
            kubeconfig_path=run.kubeconfig_path,
            environment=run.environment,
            secret_environment=sorted(run.secret_environment),
            files=[JobFile(name=file.name, mount_path=file.mount_path) for file in run.files],
            registry_url=run.registry.url if run.registry is not None else "",
            require_ready=run.require_ready,
            timeout_seconds=run.timeout_seconds,
            ttl_seconds_after_finished=(
                default_ttl_seconds if ttl_seconds is None else ttl_seconds
            ),
            labels=run.labels,
            requested_by=caller,
            max_parallel=run.max_parallel,
            max_failures=run.max_failures,
            abort_running=run.abort_running,
            queue_seconds=run.queue_seconds,
            on_busy=run.on_busy,
            abort_on=list(run.abort_on),
        ),
    )


def secrets(run: Run, job: ChaosJob) -> list[Secret]:
    """Return the Secrets that must be created before the job; often none."""
    wanted = []
    if job.spec.has_inputs:
        wanted.append(_inputs(run, job))
    if run.registry is not None:
        wanted.append(_pull_secret(run.registry, job))
    return wanted


def _inputs(run: Run, job: ChaosJob) -> Secret:
    data = {names.file_key(index): _base64(file.content) for index, file in enumerate(run.files)}
    for name, value in run.secret_environment.items():
        data[names.environment_key(name)] = _base64(value.encode())
    return Secret(metadata=_metadata(job, names.inputs_secret_for(job.metadata.name)), data=data)


def _pull_secret(login: RegistryLogin, job: ChaosJob) -> Secret:
    # The container runtime looks up logins by the registry's host, without a scheme.
    server = login.url.rpartition("://")[2].partition("/")[0]
    auth = _base64(f"{login.username}:{login.password}".encode())
    entry = {"username": login.username, "password": login.password, "auth": auth}
    config = msgspec.json.encode({"auths": {server: entry}})
    return Secret(
        metadata=_metadata(job, names.registry_secret_for(job.metadata.name)),
        type="kubernetes.io/dockerconfigjson",
        data={".dockerconfigjson": _base64(config)},
    )


def _metadata(job: ChaosJob, name: str) -> ObjectMeta:
    return ObjectMeta(
        name=name,
        namespace=job.metadata.namespace,
        labels={well_known.APP: well_known.APP_SCENARIO, well_known.JOB_ID: job.metadata.name},
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
