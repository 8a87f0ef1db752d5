"""A run that is in order: what the caller asked for, checked and typed."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class InputFile:
    """A file for the scenario; its content is a secret."""

    name: str
    content: bytes = field(repr=False)
    mount_path: str


@dataclass(frozen=True)
class RegistryLogin:
    """How the image is pulled."""

    url: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Run:
    """One scenario for many targets; `ignored` has the options without effect, as given."""

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
