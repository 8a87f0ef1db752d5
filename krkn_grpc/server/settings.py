"""The server's settings: environment variables that start with KRKN_, each with a default."""

import os
from ipaddress import ip_address
from typing import Literal, Self

from pydantic import Field, model_validator

from krkn_grpc.settings import ProcessSettings


class Settings(ProcessSettings):
    """All that can be set from outside; wrong values stop the server with one clear message."""

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
    write_seconds: float = Field(25.0, gt=0, description="how long one call may try to write")
    request_seconds: int = Field(86_400, gt=0, description="how long a requestId is remembered")
    watch_history: int = Field(
        10_000, gt=0, description="how many changes of jobs are kept for watches that resume"
    )
    log_silence_seconds: float = Field(
        30.0, gt=0, description="how long a log is silent before its scenario is looked for"
    )
    stop_seconds: float = Field(20.0, gt=0, description="how long calls may go on at shutdown")

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


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
