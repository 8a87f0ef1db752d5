"""The scenario pod and the Secret of its kubeconfig, as pure data."""

import base64
from typing import Literal

from controller.jobs import stop_hook
from controller.jobs.model import Credential
from krkn_grpc.resources import labels, names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.pod import (
    Capabilities,
    Container,
    EmptyDir,
    EnvVar,
    EnvVarSource,
    ExecAction,
    Lifecycle,
    LifecycleHandler,
    LocalReference,
    NewPod,
    ObservedPodSpec,
    Pod,
    PodSecurityContext,
    PodSpec,
    SeccompProfile,
    SecretKeySelector,
    SecretVolume,
    SecurityContext,
    Volume,
    VolumeMount,
)

PullPolicy = Literal["Always", "IfNotPresent", "Never"]

_KRKN_USER = 1001
_READABLE_BY_GROUP = 0o440
_KUBECONFIG_KEY = "kubeconfig"
# A mesh's proxy in the pod would outlive the scenario, and stand between it and its target.
_NO_SIDECARS = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
_SCRATCH = "/tmp"  # noqa: S108 - the container's, an emptyDir of its own


def kubeconfig_secret(job: ChaosJob, credential: Credential) -> Secret:
    """Return the job's own copy of its target's kubeconfig; it goes when the pod has ended."""
    return Secret(
        metadata=ObjectMeta(
            name=names.kubeconfig_secret_for(job.metadata.name),
            namespace=job.metadata.namespace,
            labels={labels.APP: labels.APP_SCENARIO, labels.JOB_ID: job.metadata.name},
            owner_references=[owner_of(job)],
        ),
        immutable=True,
        data={_KUBECONFIG_KEY: base64.b64encode(credential.kubeconfig.encode()).decode()},
    )


def pod(job: ChaosJob, pull_policy: PullPolicy, grace_seconds: int) -> NewPod:
    """Return the job's pod: gated, so that it can be named in the status before it may run."""
    spec = job.spec
    pull_secret = names.registry_secret_for(job.metadata.name)
    return NewPod(
        metadata=ObjectMeta(
            name=names.pod_for(job.metadata.name),
            namespace=job.metadata.namespace,
            labels={
                labels.APP: labels.APP_SCENARIO,
                labels.JOB_ID: job.metadata.name,
                labels.SCENARIO_NAME: labels.as_label_value(spec.scenario_name),
                labels.TARGET_UUID: spec.target_uuid,
            },
            annotations=_NO_SIDECARS | _trace(job),
            owner_references=[owner_of(job)],
            finalizers=[labels.FINALIZER],
        ),
        spec=PodSpec(
            containers=[
                Container(
                    name=names.CONTAINER,
                    image=spec.scenario_image,
                    image_pull_policy=pull_policy,
                    env=_environment(job),
                    volume_mounts=_mounts(job),
                    lifecycle=Lifecycle(
                        pre_stop=LifecycleHandler(
                            exec=ExecAction(command=stop_hook.command(grace_seconds))
                        )
                    ),
                    security_context=SecurityContext(
                        allow_privilege_escalation=False,
                        capabilities=Capabilities(drop=["ALL"]),
                        run_as_non_root=True,
                    ),
                )
            ],
            volumes=_volumes(job),
            scheduling_gates=[LocalReference(name=labels.START_GATE)],
            image_pull_secrets=[LocalReference(name=pull_secret)] if spec.pull_secret else [],
            security_context=PodSecurityContext(
                run_as_user=_KRKN_USER,
                run_as_group=_KRKN_USER,
                fs_group=_KRKN_USER,
                run_as_non_root=True,
                seccomp_profile=SeccompProfile(type="RuntimeDefault"),
            ),
            restart_policy="Never",
            automount_service_account_token=False,
            enable_service_links=False,
            active_deadline_seconds=spec.timeout_seconds,
            termination_grace_period_seconds=grace_seconds,
        ),
    )


def observed(created: NewPod) -> Pod:
    """Return a pod that was just created as it would be observed."""
    spec = ObservedPodSpec(
        scheduling_gates=created.spec.scheduling_gates,
        termination_grace_period_seconds=created.spec.termination_grace_period_seconds,
    )
    return Pod(metadata=created.metadata, spec=spec)


def _trace(job: ChaosJob) -> dict[str, str]:
    """Return the annotation by which the call that asked for the job is found again."""
    trace = job.metadata.annotations.get(labels.TRACE)
    return {labels.TRACE: trace} if trace else {}


def _environment(job: ChaosJob) -> list[EnvVar]:
    inputs = names.inputs_secret_for(job.metadata.name)
    public = [
        # Kubernetes would expand $(NAME); doubled, each $ arrives as it was given.
        EnvVar(name=name, value=value.replace("$", "$$"))
        for name, value in sorted(job.spec.environment.items())
    ]
    secret = [
        EnvVar(
            name=name,
            value_from=EnvVarSource(
                secret_key_ref=SecretKeySelector(name=inputs, key=names.environment_key(name))
            ),
        )
        for name in job.spec.secret_environment
    ]
    return [*public, *secret, EnvVar(name="KRKN_KUBE_CONFIG", value=job.spec.kubeconfig_path)]


def _mounts(job: ChaosJob) -> list[VolumeMount]:
    files = [
        VolumeMount(
            name="inputs",
            mount_path=file.mount_path,
            sub_path=names.file_key(index),
            read_only=True,
        )
        for index, file in enumerate(job.spec.files)
    ]
    kubeconfig = VolumeMount(
        name="kubeconfig",
        mount_path=job.spec.kubeconfig_path,
        sub_path=_KUBECONFIG_KEY,
        read_only=True,
    )
    return [VolumeMount(name="tmp", mount_path=_SCRATCH), kubeconfig, *files]


def _volumes(job: ChaosJob) -> list[Volume]:
    volumes = [
        Volume(name="tmp", empty_dir=EmptyDir()),
        Volume(name="kubeconfig", secret=_mounted(names.kubeconfig_secret_for(job.metadata.name))),
    ]
    if job.spec.files:
        inputs = names.inputs_secret_for(job.metadata.name)
        volumes.append(Volume(name="inputs", secret=_mounted(inputs)))
    return volumes


def _mounted(secret: str) -> SecretVolume:
    return SecretVolume(secret_name=secret, default_mode=_READABLE_BY_GROUP)
