"""The settings that the server and the controller share: variables that start with KRKN_.

They are defined once, so that both processes read them in the same manner.
"""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from krkn_grpc import otlp_endpoint
from krkn_grpc.otlp_endpoint import OtlpEndpoint
from krkn_grpc.resources import images, mounts
from krkn_grpc.resources.addresses import Network

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
# 68 years. Times that are much longer are no dates any more.
_MOST_SECONDS = 2**31 - 1


class ProcessSettings(BaseSettings):
    """A process's cluster and namespace, and limits of callers; a wrong value stops the process."""

    model_config = SettingsConfigDict(env_prefix="KRKN_", frozen=True)

    kubeconfig: Path | None = Field(None, description="our own cluster; unset: the pod's account")
    namespace: str = Field(
        "krkn-operator-system", pattern=DNS_LABEL, description="namespace of all resources"
    )
    allowed_images: Annotated[tuple[str, ...], NoDecode] = Field(
        images.DEFAULT, description="prefixes or digests; *: all"
    )
    allowed_mount_paths: Annotated[tuple[str, ...], NoDecode] = Field(
        mounts.DEFAULT,
        description="where a run's files may be placed: paths, and folders that end with /; /: all",
    )
    allowed_target_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="networks that targets may be in though they would be refused"
    )
    allow_proxy_url: bool = Field(
        False, description="whether kubeconfigs of targets may have a proxy-url"
    )
    write_seconds: float = Field(25.0, gt=0, description="longest time of a call's writes")
    metrics_host: str = Field("127.0.0.1", description="address of /metrics")
    otel_exporter_otlp_endpoint: OtlpEndpoint = Field(
        "",
        validation_alias=otlp_endpoint.ALIAS,
        description="where spans are sent, by OTLP over gRPC: http://HOST:4317 "
        "([traces](tracing.md)); unset: nowhere",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="what is logged to standard error, as JSON lines"
    )

    @field_validator("*")
    @classmethod
    def _no_endless_times(cls, value: object, info: ValidationInfo) -> object:
        is_time = (info.field_name or "").endswith("_seconds")
        # `not`: NaN is no more than anything.
        if is_time and isinstance(value, int | float) and not value <= _MOST_SECONDS:
            raise ValueError(f"must be at most {_MOST_SECONDS}")
        return value

    @field_validator("allowed_images", mode="before")
    @classmethod
    def _images(cls, value: object) -> object:
        return images.read(value) if isinstance(value, str) else value

    @field_validator("allowed_mount_paths", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        return mounts.read(value) if isinstance(value, str) else value

    @field_validator("allowed_target_networks", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
