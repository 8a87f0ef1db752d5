"""The scenario pod and the Secret of its kubeconfig, as pure data.

The pod is merged from three sources: the job, the administrator's rules, and what is fixed here.
What is fixed wins over the rules, and the rules win over the job.
"""

import base64

from controller.jobs import spans, stop_hook
from controller.scenario_pods.rules import CA_FILE, CA_FOLDER, PodRules
from krkn_grpc.resources import names, well_known
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.credential_secret import Credential
from krkn_grpc.resources.meta import ObjectMeta, owner_of
from krkn_grpc.resources.pod import (
    Capabilities,
    ConfigMapVolume,
    Container,
    EmptyDir,
    EnvVar,
    EnvVarSource,
    ExecAction,
    KeyToPath,
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
from krkn_grpc.resources.trace_context import Traceparent

_KRKN_USER = 1001
_READABLE_BY_GROUP = 0o440
_KUBECONFIG_KEY = "kubeconfig"
# A mesh's proxy in the pod would outlive the scenario, and intercept its traffic to the target.
_NO_SIDECARS = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
# Istio's webhook selects pods by labels: by the annotation alone it would be asked about this pod,
# and a webhook that does not answer would refuse it. An ambient mesh knows the second one.
_NO_MESH = {"sidecar.istio.io/inject": "false", "istio.io/dataplane-mode": "none"}
# By which programs that trace themselves find the trace that they belong to.
_CONTEXT = "TRACEPARENT"
# The id of krkn's own run, by which its data in Elasticsearch and Prometheus are found.
_RUN = "UUID"
_SCRATCH = "/tmp"  # noqa: S108 - the container's, an emptyDir of its own


def kubeconfig_secret(job: ChaosJob, credential: Credential) -> Secret:
    """Return the job's own copy of its target's kubeconfig; deleted when the pod has ended."""
    return Secret(
        metadata=ObjectMeta(
            name=names.kubeconfig_secret_for(job.metadata.name),
            namespace=job.metadata.namespace,
            labels={well_known.APP: well_known.APP_SCENARIO, well_known.JOB_ID: job.metadata.name},
            owner_references=[owner_of(job)],
        ),
        immutable=True,
        data={_KUBECONFIG_KEY: base64.b64encode(credential.kubeconfig.encode()).decode()},
    )


def pod(job: ChaosJob, rules: PodRules) -> NewPod:
    """Return the job's pod, with a scheduling gate: the status names it before it may run."""
    spec, template = job.spec, rules.template
    return NewPod(
        metadata=ObjectMeta(
            name=names.pod_for(job.metadata.name),
            namespace=job.metadata.namespace,
            labels={
                **template.labels,
                **_NO_MESH,
                well_known.APP: well_known.APP_SCENARIO,
                well_known.JOB_ID: job.metadata.name,
                well_known.SCENARIO_NAME: well_known.as_label_value(spec.scenario_name),
                well_known.TARGET_UUID: spec.target_uuid,
            },
            annotations={
                **template.annotations,
                **_NO_SIDECARS,
                well_known.JOB_UID: job.metadata.uid,
                **_trace(job, rules),
            },
            owner_references=[owner_of(job)],
        ),
        spec=PodSpec(
            containers=[
                Container(
                    name=names.CONTAINER,
                    image=rules.pulled_from(spec.scenario_image),
                    image_pull_policy=rules.pull_policy,
                    env=_environment(job, rules),
                    volume_mounts=_mounts(job, rules),
                    lifecycle=Lifecycle(
                        pre_stop=LifecycleHandler(
                            exec=ExecAction(command=stop_hook.command(rules.grace_seconds))
                        )
                    ),
                    resources=template.resources,
                    security_context=SecurityContext(
                        allow_privilege_escalation=False,
                        capabilities=Capabilities(drop=["ALL"]),
                        run_as_non_root=True,
                    ),
                )
            ],
            volumes=_volumes(job, rules),
            scheduling_gates=[LocalReference(name=well_known.START_GATE)],
            image_pull_secrets=_pull_secrets(job, rules),
            security_context=_security_context(rules),
            node_selector=dict(template.node_selector),
            tolerations=list(template.tolerations),
            topology_spread_constraints=list(template.spread),
            priority_class_name=template.priority_class,
            runtime_class_name=template.runtime_class,
            restart_policy="Never",
            service_account_name=rules.service_account,
            automount_service_account_token=False,
            enable_service_links=False,
            active_deadline_seconds=spec.timeout_seconds,
            termination_grace_period_seconds=rules.grace_seconds,
        ),
    )


def observed(created: NewPod) -> Pod:
    """Return a pod that was just created, in the form that an informer would give."""
    spec = ObservedPodSpec(
        scheduling_gates=created.spec.scheduling_gates,
        termination_grace_period_seconds=created.spec.termination_grace_period_seconds,
    )
    return Pod(metadata=created.metadata, spec=spec)


def _trace(job: ChaosJob, rules: PodRules) -> dict[str, str]:
    """Return the annotations that lead back to the call that asked for the job, if any."""
    found = {
        well_known.TRACE: job.metadata.annotations.get(well_known.TRACE, ""),
        well_known.TRACEPARENT: str(_traceparent(job, rules) or ""),
    }
    return {name: value for name, value in found.items() if value}


def _traceparent(job: ChaosJob, rules: PodRules) -> Traceparent | None:
    return spans.for_scenario(job, is_traced=rules.are_jobs_traced)


def _security_context(rules: PodRules) -> PodSecurityContext:
    user = _KRKN_USER if rules.has_fixed_user else None
    return PodSecurityContext(
        run_as_user=user,
        run_as_group=user,
        fs_group=user,
        run_as_non_root=True,
        seccomp_profile=SeccompProfile(type="RuntimeDefault"),
    )


def _pull_secrets(job: ChaosJob, rules: PodRules) -> list[LocalReference]:
    own = [names.registry_secret_for(job.metadata.name)] if job.spec.pull_secret else []
    return [LocalReference(name=name) for name in (*own, *rules.template.pull_secrets)]


def _environment(job: ChaosJob, rules: PodRules) -> list[EnvVar]:
    inputs = names.inputs_secret_for(job.metadata.name)
    public = [
        _plain(name, value)
        for name, value in sorted(job.spec.environment.items())
        if rules.is_for_request(name)
    ]
    secret = [
        EnvVar(
            name=name,
            value_from=EnvVarSource(
                secret_key_ref=SecretKeySelector(name=inputs, key=names.environment_key(name))
            ),
        )
        for name in job.spec.secret_environment
        if rules.is_for_request(name)
    ]
    kubeconfig = EnvVar(name="KRKN_KUBE_CONFIG", value=job.spec.kubeconfig_path)
    given = [_plain(name, value) for name, value in sorted(rules.environment.items())]
    return [*public, *secret, kubeconfig, *given, *_unless_given(job, rules)]


def _unless_given(job: ChaosJob, rules: PodRules) -> list[EnvVar]:
    """Return the variables that a request may set otherwise: krkn's run, its place in the trace."""
    ours = {_RUN: job.metadata.name}
    if (here := _traceparent(job, rules)) is not None:
        ours[_CONTEXT] = str(here)
    given = {*job.spec.environment, *job.spec.secret_environment}
    return [_plain(name, value) for name, value in ours.items() if name not in given]


def _plain(name: str, value: str) -> EnvVar:
    # Kubernetes would expand $(NAME); each $ is doubled to arrive unchanged.
    return EnvVar(name=name, value=value.replace("$", "$$"))


def _mounts(job: ChaosJob, rules: PodRules) -> list[VolumeMount]:
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
    bundle = [VolumeMount(name="ca", mount_path=CA_FOLDER, read_only=True)]
    trust = bundle if rules.ca_config_map else []
    return [VolumeMount(name="tmp", mount_path=_SCRATCH), kubeconfig, *files, *trust]


def _volumes(job: ChaosJob, rules: PodRules) -> list[Volume]:
    # What is written to /tmp counts towards the same limit of the pod.
    limit = rules.template.resources.limits.get("ephemeral-storage", "")
    volumes = [
        Volume(name="tmp", empty_dir=EmptyDir(size_limit=limit)),
        Volume(name="kubeconfig", secret=_mounted(names.kubeconfig_secret_for(job.metadata.name))),
    ]
    if job.spec.files:
        inputs = names.inputs_secret_for(job.metadata.name)
        volumes.append(Volume(name="inputs", secret=_mounted(inputs)))
    if rules.ca_config_map:
        items = [KeyToPath(key=rules.ca_key, path=CA_FILE)]
        bundle = ConfigMapVolume(name=rules.ca_config_map, items=items)
        volumes.append(Volume(name="ca", config_map=bundle))
    return volumes


def _mounted(secret: str) -> SecretVolume:
    return SecretVolume(secret_name=secret, default_mode=_READABLE_BY_GROUP)
