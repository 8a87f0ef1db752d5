"""The server's settings: environment variables that start with KRKN_, each with a default."""

import os
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from krkn_grpc.resources import images
from krkn_grpc.resources.addresses import Network


class Settings(BaseSettings):
    """All that can be set from outside; wrong values stop the server with one clear message."""

    model_config = SettingsConfigDict(env_prefix="KRKN_", frozen=True)

    kubeconfig: Path | None = Field(None, description="our own cluster; unset: the pod's account")
    namespace: str = Field("krkn-operator-system", description="where all resources live")
    auth: Literal["none", "kubernetes"] = Field("kubernetes", description="how callers are known")
    audience: str = Field(
        "krkn-grpc", min_length=1, description="the audience that callers' tokens are for"
    )
    remember_seconds: float = Field(
        10.0, gt=0, le=60, description="how long an answer on who may do what is used again"
    )
    recheck_seconds: float = Field(
        60.0, gt=0, le=60, description="how often a stream asks again whether its caller may"
    )
    reflection: bool = Field(True, description="whether gRPC server reflection answers")
    tls: Literal["off", "on", "mesh"] = Field(
        "off", description="on: Envoy encrypts what comes to it; mesh: a service mesh encrypts"
    )
    rest_host: str = Field("127.0.0.1", description="where Envoy listens")
    grpc_host: str = Field("127.0.0.1", description="address to listen on")
    grpc_port: int = Field(50051, ge=0, le=65535, description="0: any free port")
    allowed_images: Annotated[tuple[str, ...], NoDecode] = Field(
        images.DEFAULT, description="prefixes or digests; *: all"
    )
    allowed_target_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="networks that targets may be in though they would be refused"
    )
    write_seconds: float = Field(25.0, gt=0, description="how long one call may try to write")
    request_seconds: int = Field(86_400, gt=0, description="how long a requestId is remembered")
    watch_history: int = Field(
        10_000, gt=0, description="how many changes of jobs are kept for watches that resume"
    )
    stop_seconds: float = Field(20.0, gt=0, description="how long calls may go on at shutdown")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="what is logged to standard error, as JSON lines"
    )

    @field_validator("allowed_images", mode="before")
    @classmethod
    def _images(cls, value: object) -> object:
        return images.read(value) if isinstance(value, str) else value

    @field_validator("allowed_target_networks", mode="before")
    @classmethod
    def _networks(cls, text: object) -> object:
        return tuple(map(ip_network, _split(text)))

    @model_validator(mode="after")
    def _nobody_else_may_call(self) -> Self:
        """Without authentication only this machine may call; beyond it only through a mesh."""
        is_local = _is_loopback(self.grpc_host)
        if self.auth == "none":
            if not is_local:
                raise ValueError("KRKN_AUTH=none listens on loopback only: set KRKN_GRPC_HOST")
            if not _is_loopback(self.rest_host):
                raise ValueError("KRKN_AUTH=none listens on loopback only: set KRKN_REST_HOST")
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                raise ValueError("KRKN_AUTH=none is for one's own machine, not for a pod")
        if not is_local and self.tls != "mesh":
            raise ValueError("beyond loopback without TLS only with KRKN_TLS=mesh")
        return self

    @property
    def grpc_address(self) -> str:
        """Where to listen, as gRPC wants it."""
        host = self.grpc_host.strip("[]")
        return f"[{host}]:{self.grpc_port}" if ":" in host else f"{host}:{self.grpc_port}"


def _split(text: object) -> tuple[str, ...]:
    if not isinstance(text, str):
        return tuple(text)  # type: ignore[arg-type]  # a default or an argument, already a tuple
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
