"""Pods: the fields written to start a scenario, and those read to know its outcome."""

from datetime import datetime

from krkn_grpc.resources.meta import Kind, Resource, Struct
from krkn_grpc.resources.scheduling import (
    ResourceRequirements,
    Toleration,
    TopologySpreadConstraint,
)


class SecretKeySelector(Struct, frozen=True, kw_only=True):
    """One key of a Secret."""

    name: str
    key: str


class EnvVarSource(Struct, frozen=True, kw_only=True):
    """Where the value of a variable comes from."""

    secret_key_ref: SecretKeySelector


class EnvVar(Struct, frozen=True, kw_only=True):
    """A variable of the container."""

    name: str
    value: str = ""
    value_from: EnvVarSource | None = None


class VolumeMount(Struct, frozen=True, kw_only=True):
    """Where a volume appears in the container."""

    name: str
    mount_path: str
    sub_path: str = ""
    read_only: bool = False


class KeyToPath(Struct, frozen=True, kw_only=True):
    """One key of a Secret or ConfigMap as a file."""

    key: str
    path: str


class SecretVolume(Struct, frozen=True, kw_only=True):
    """A Secret as files."""

    secret_name: str
    items: list[KeyToPath] = []
    default_mode: int | None = None


class ConfigMapVolume(Struct, frozen=True, kw_only=True):
    """A ConfigMap as files."""

    name: str
    items: list[KeyToPath] = []


class EmptyDir(Struct, frozen=True, kw_only=True):
    """A scratch folder; a pod that writes more than `size_limit` into it is evicted."""

    size_limit: str = ""


class Volume(Struct, frozen=True, kw_only=True):
    """A volume of the pod."""

    name: str
    secret: SecretVolume | None = None
    config_map: ConfigMapVolume | None = None
    empty_dir: EmptyDir | None = None


class SeccompProfile(Struct, frozen=True, kw_only=True):
    """Which system calls are allowed."""

    type: str


class Capabilities(Struct, frozen=True, kw_only=True):
    """Linux capabilities given up."""

    drop: list[str] = []


class SecurityContext(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """The privileges of the container."""

    allow_privilege_escalation: bool
    capabilities: Capabilities
    run_as_non_root: bool


class PodSecurityContext(Struct, frozen=True, kw_only=True):
    """The user and groups that the pod runs as; those left out are the cluster's to choose."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    fs_group: int | None = None
    run_as_non_root: bool
    seccomp_profile: SeccompProfile


class ExecAction(Struct, frozen=True, kw_only=True):
    """A command that the node runs in the container."""

    command: list[str]


class LifecycleHandler(Struct, frozen=True, kw_only=True):
    """The action of a lifecycle hook."""

    exec: ExecAction


class Lifecycle(Struct, frozen=True, kw_only=True):
    """The hook that runs before SIGTERM is sent, within the grace period."""

    pre_stop: LifecycleHandler


class Container(Struct, frozen=True, kw_only=True):
    """The container of the scenario."""

    name: str
    image: str
    image_pull_policy: str
    env: list[EnvVar] = []
    volume_mounts: list[VolumeMount] = []
    lifecycle: Lifecycle | None = None
    resources: ResourceRequirements = ResourceRequirements()
    security_context: SecurityContext


class LocalReference(Struct, frozen=True, kw_only=True):
    """The name of an object in the same namespace."""

    name: str


class PodSpec(Struct, frozen=True, kw_only=True):
    """The spec of a pod to be created."""

    containers: list[Container]
    volumes: list[Volume] = []
    scheduling_gates: list[LocalReference] = []
    image_pull_secrets: list[LocalReference] = []
    security_context: PodSecurityContext
    node_selector: dict[str, str] = {}
    tolerations: list[Toleration] = []
    topology_spread_constraints: list[TopologySpreadConstraint] = []
    priority_class_name: str = ""
    runtime_class_name: str = ""
    restart_policy: str
    service_account_name: str = ""
    automount_service_account_token: bool | None
    enable_service_links: bool | None = None
    active_deadline_seconds: int | None = None
    termination_grace_period_seconds: int | None = None


class NewPod(Resource, frozen=True, kw_only=True):
    """A pod to be created."""

    KIND = Kind("v1", "Pod", "pods")

    spec: PodSpec


class TerminatedState(Struct, frozen=True, kw_only=True):
    """How a container ended."""

    exit_code: int
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


class RunningState(Struct, frozen=True, kw_only=True):
    """The start time of a running container."""

    started_at: datetime | None = None


class WaitingState(Struct, frozen=True, kw_only=True):
    """Why a container does not run yet."""

    reason: str = ""
    message: str = ""


class ContainerState(Struct, frozen=True, kw_only=True):
    """Exactly one of these is set."""

    running: RunningState | None = None
    waiting: WaitingState | None = None
    terminated: TerminatedState | None = None


class ContainerStatus(Struct, frozen=True, kw_only=True):
    """The state of one container."""

    name: str
    state: ContainerState = ContainerState()


class PodCondition(Struct, frozen=True, kw_only=True):
    """One claim about a pod, `PodScheduled` or `DisruptionTarget` for example."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class PodStatus(Struct, frozen=True, kw_only=True):
    """The pod as the node reports it."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    start_time: datetime | None = None
    conditions: list[PodCondition] = []
    container_statuses: list[ContainerStatus] = []
    init_container_statuses: list[ContainerStatus] = []


class ObservedPodSpec(Struct, frozen=True, kw_only=True):
    """The fields of a pod's spec that decisions need."""

    node_name: str = ""
    scheduling_gates: list[LocalReference] = []
    termination_grace_period_seconds: int | None = None


class Pod(Resource, frozen=True, kw_only=True):
    """A pod as it is observed; fields that decisions do not need are not decoded."""

    KIND = Kind("v1", "Pod", "pods")

    spec: ObservedPodSpec = ObservedPodSpec()
    status: PodStatus = PodStatus()

    @property
    def is_terminal(self) -> bool:
        """Whether no container of the pod runs or will run again."""
        return self.status.phase in ("Succeeded", "Failed")

    def container_state(self, name: str) -> ContainerState:
        """Return the state of a container; empty while there is none."""
        statuses = self.status.container_statuses
        return next((each.state for each in statuses if each.name == name), ContainerState())

    @property
    def is_bound(self) -> bool:
        """Whether it is bound to a node, which may have started it."""
        return bool(self.spec.node_name)
