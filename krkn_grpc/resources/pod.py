"""Pods: what is written to start a scenario, and what is read to know its outcome."""

from datetime import datetime

from krkn_grpc.resources.meta import Kind, Resource, Struct


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
    """One key of a Secret as a file."""

    key: str
    path: str


class SecretVolume(Struct, frozen=True, kw_only=True):
    """A Secret as files."""

    secret_name: str
    items: list[KeyToPath] = []
    default_mode: int | None = None


class EmptyDir(Struct, frozen=True, kw_only=True):
    """A scratch folder."""


class Volume(Struct, frozen=True, kw_only=True):
    """A volume of the pod."""

    name: str
    secret: SecretVolume | None = None
    empty_dir: EmptyDir | None = None


class SeccompProfile(Struct, frozen=True, kw_only=True):
    """Which system calls are allowed."""

    type: str


class Capabilities(Struct, frozen=True, kw_only=True):
    """Linux capabilities given up."""

    drop: list[str] = []


class SecurityContext(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """What the container may do."""

    allow_privilege_escalation: bool
    capabilities: Capabilities
    run_as_non_root: bool


class PodSecurityContext(Struct, frozen=True, kw_only=True):
    """Who the pod runs as."""

    run_as_user: int
    run_as_group: int
    fs_group: int
    run_as_non_root: bool
    seccomp_profile: SeccompProfile


class ExecAction(Struct, frozen=True, kw_only=True):
    """A command that the node runs in the container."""

    command: list[str]


class LifecycleHandler(Struct, frozen=True, kw_only=True):
    """What is done at a moment of the container's life."""

    exec: ExecAction


class Lifecycle(Struct, frozen=True, kw_only=True):
    """Before SIGTERM is sent, within the grace period."""

    pre_stop: LifecycleHandler


class Container(Struct, frozen=True, kw_only=True):
    """The container of the scenario."""

    name: str
    image: str
    image_pull_policy: str
    env: list[EnvVar] = []
    volume_mounts: list[VolumeMount] = []
    lifecycle: Lifecycle | None = None
    security_context: SecurityContext


class LocalReference(Struct, frozen=True, kw_only=True):
    """The name of an object in the same namespace."""

    name: str


class PodSpec(Struct, frozen=True, kw_only=True):
    """The pod as it is asked for."""

    containers: list[Container]
    volumes: list[Volume] = []
    scheduling_gates: list[LocalReference] = []
    image_pull_secrets: list[LocalReference] = []
    security_context: PodSecurityContext
    restart_policy: str
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
    """Since when a container runs."""

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
    last_state: ContainerState = ContainerState()
    restart_count: int = 0


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


class ObservedPodSpec(Struct, frozen=True, kw_only=True):
    """The little of a pod's spec that decisions need."""

    node_name: str = ""
    scheduling_gates: list[LocalReference] = []
    termination_grace_period_seconds: int | None = None


class Pod(Resource, frozen=True, kw_only=True):
    """A pod as it is observed; everything that decisions do not need is not even decoded."""

    KIND = Kind("v1", "Pod", "pods")

    spec: ObservedPodSpec = ObservedPodSpec()
    status: PodStatus = PodStatus()

    @property
    def is_terminal(self) -> bool:
        """Whether none of its containers runs or ever will again."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def is_gated(self) -> bool:
        """Whether the scheduler is still kept from it, so that nothing of it ever ran."""
        return bool(self.spec.scheduling_gates)

    @property
    def is_bound(self) -> bool:
        """Whether it was given to a node, which may have started it."""
        return bool(self.spec.node_name)
