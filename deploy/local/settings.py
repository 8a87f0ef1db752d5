"""The environment variables of `make run`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FilePath, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from krkn_grpc.settings import DNS_LABEL


class Settings(BaseSettings):
    """KRKN_REST_PORT and so on; each has a default, and an empty value stands for it."""

    model_config = SettingsConfigDict(env_prefix="KRKN_", frozen=True, env_ignore_empty=True)

    rest_port: int = Field(8080, ge=1, le=65535)
    grpc_port: int = Field(50051, ge=1, le=65535)
    server_metrics_port: int | None = Field(None, ge=0, le=65535)
    controller_metrics_port: int | None = Field(None, ge=0, le=65535)
    envoy_metrics_port: int | None = Field(None, ge=0, le=65535)
    """Of metrics; None: a free one, 0: none."""

    keep: bool = False
    """Whether logs and the local control plane's state stay for the next start."""

    page: bool = True
    """Whether the page is built and served."""

    observe: bool = False
    """Whether a Prometheus runs too, with the alert rules."""

    prometheus_port: int | None = Field(None, ge=1, le=65535)
    """Of that Prometheus; None: a free one."""

    namespace: str = Field("krkn-operator-system", pattern=DNS_LABEL)
    auth: Literal["none", "kubernetes"] = "none"
    adopt_providers: str = ""
    """The controller's own setting; it needs more roles."""

    kubeconfig: Annotated[FilePath, AfterValidator(Path.absolute)] | None = None
    """A cluster to use instead of a local control plane."""

    @property
    def metrics_ports(self) -> dict[str, int]:
        """The ports of metrics that are set, by process."""
        chosen = {
            "server": self.server_metrics_port,
            "controller": self.controller_metrics_port,
            "envoy": self.envoy_metrics_port,
        }
        return {process: port for process, port in chosen.items() if port is not None}

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.rest_port == self.grpc_port:
            raise ValueError(f"KRKN_REST_PORT and KRKN_GRPC_PORT are both {self.rest_port}")
        return self
