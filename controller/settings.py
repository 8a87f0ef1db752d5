"""The controller's settings: environment variables that start with KRKN_, each with a default."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from krkn_grpc.resources.addresses import Network


class Settings(BaseSettings):
    """All that can be set from outside; wrong values stop the controller with a clear message."""

    model_config = SettingsConfigDict(env_prefix="KRKN_", frozen=True)

    kubeconfig: Path | None = Field(None, description="our own cluster; unset: the pod's account")
    namespace: str = Field("krkn-operator-system", description="where all resources live")
    allowed_target_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="networks that targets may be in though they would be refused"
    )
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "Always"
    start_seconds: int = Field(300, gt=0, description="a job that has not started by then fails")
    grace_seconds: int = Field(60, ge=0, description="what a stopped scenario gets to roll back")
    workers: int = Field(32, gt=0, description="jobs that are worked on at the same time")
    checks: int = Field(128, gt=0, description="target clusters that are asked at the same time")
    check_seconds: float = Field(300.0, gt=0, description="how often a ready target is asked again")
    heartbeat_seconds: float = Field(30.0, gt=0, description="how often the provider is renewed")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("allowed_target_networks", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
