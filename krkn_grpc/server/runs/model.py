"""A valid run: the caller's request, validated and typed."""

from dataclasses import dataclass, field

from krkn_grpc.resources.chaos_job import DEFAULT_QUEUE_SECONDS, OnBusy


@dataclass(frozen=True)
class InputFile:
    """A file for the scenario; its content is a secret."""

    name: str
    content: bytes = field(repr=False)
    mount_path: str


@dataclass(frozen=True)
class RegistryLogin:
    """The registry credentials for pulling the image."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Run:
    """One scenario for many targets; `ignored` has the given options that have no effect.

    `asked_image` and `asked_path` are as the request has them, before the catalogue completes them.
    `warning` says what the catalogue does not know of its inputs.
    """

    target_uuids: tuple[str, ...]
    scenario_image: str
    scenario_name: str
    kubeconfig_path: str
    environment: dict[str, str]
    secret_environment: dict[str, str] = field(repr=False)
    files: tuple[InputFile, ...]
    registry_url: str
    registry: RegistryLogin | None
    request_id: str
    validate_only: bool
    require_ready: bool
    timeout_seconds: int
    ttl_seconds_after_finished: int | None
    labels: dict[str, str]
    ignored: dict[str, str]
    asked_image: str
    asked_path: str
    queue_seconds: int = DEFAULT_QUEUE_SECONDS
    on_busy: OnBusy = "Wait"
    max_parallel: int = 0
    max_failures: int | None = None
    abort_running: bool = False
    abort_on: tuple[str, ...] = ()
    warning: str = ""

    @property
    def has_secrets(self) -> bool:
        """Whether the run contains secrets."""
        return bool(self.secret_environment or self.files or self.registry)
