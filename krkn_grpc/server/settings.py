"""The server's settings: environment variables that start with KRKN_, each with a default."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from krkn_grpc.loopback import is_loopback
from krkn_grpc.settings import ProcessSettings


class Settings(ProcessSettings):
    """The server's settings; invalid values stop the server with one clear message."""

    auth: Literal["none", "kubernetes"] = Field(
        "kubernetes", description="how callers are authenticated"
    )
    audience: str = Field("krkn-grpc", min_length=1, description="audience of callers' tokens")
    auth_cache_seconds: float = Field(
        10.0, gt=0, le=60, description="how long an answer about a token or a permission is cached"
    )
    recheck_seconds: float = Field(
        60.0, gt=0, le=60, description="interval of authorization checks on streams"
    )
    serve: Literal["all", "calls", "logs"] = Field(
        "all",
        description="logs: the logs alone, with an account that may read them and write nothing; "
        "calls: everything else",
    )
    reflection: bool = Field(
        False, description="whether gRPC server reflection is on, for everybody"
    )
    tls: Literal["off", "on", "mesh"] = Field(
        "off", description="on: Envoy encrypts what comes to it; mesh: a service mesh encrypts"
    )
    rest_host: str = Field("127.0.0.1", description="Envoy's address")
    grpc_host: str = Field("127.0.0.1", description="address to listen on")
    grpc_port: int = Field(50051, ge=0, le=65535, description="0: any free port")
    server_health_port: int = Field(
        50052, ge=0, le=65535, description="port on 127.0.0.1 for the probes of its pod; 0: any"
    )
    server_metrics_port: int = Field(
        8082, ge=0, le=65535, description="port of /metrics (metrics.md); 0: none"
    )
    catalogue_dir: Path | None = Field(
        None,
        description="folder of scenarios that are added to the catalogue or replace its own; "
        "it is read again when it changes (scenarios.md)",
    )
    check_environment: Literal["auto", "off", "warn", "enforce"] = Field(
        "auto",
        description="whether a run's variables are checked against the catalogue: enforce refuses "
        "the run, warn says it in the reply; auto: enforce for images of krkn-hub, else off",
    )
    idempotency_seconds: int = Field(86_400, gt=0, description="how long a requestId is remembered")
    default_ttl_seconds: Annotated[int, Field(ge=0, le=2**31 - 1)] | Literal["never"] = Field(
        604_800,
        description="how long a finished job is kept whose request does not say it; "
        "`never`: until someone deletes it",
    )
    watch_history: int = Field(
        10_000,
        gt=0,
        description="changes of jobs, and as many of targets, kept for watches that resume",
    )
    log_silence_seconds: float = Field(
        30.0, gt=0, description="silence of a log after which its scenario is looked for"
    )
    discovery_hold_seconds: float = Field(
        10.0, ge=0, description="how long a reply waits for a pending target request"
    )
    discoveries_per_caller: int = Field(
        100, gt=0, description="target requests that one caller may have at once"
    )
    stop_seconds: float = Field(20.0, gt=0, description="time for calls to end at shutdown")

    @field_validator("default_ttl_seconds", mode="before")
    @classmethod
    def _seconds_or_never(cls, value: object) -> object:
        # One message, where there would be one for each type.
        text = str(value)
        if text != "never" and not (text.isdecimal() and len(text) <= 10 and int(text) < 2**31):
            raise ValueError("must be a number of seconds, 0 to 2147483647, or never")
        return value

    @field_validator("catalogue_dir", mode="before")
    @classmethod
    def _no_folder(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("check_environment", mode="before")
    @classmethod
    def _default_check(cls, value: object) -> object:
        return "auto" if value == "" else value

    @model_validator(mode="after")
    def _nobody_else_may_call(self) -> Self:
        """Require loopback without authentication, and a mesh for plaintext beyond loopback."""
        is_local = is_loopback(self.grpc_host)
        if self.auth == "none":
            if not is_local:
                raise ValueError("KRKN_AUTH=none listens on loopback only: set KRKN_GRPC_HOST")
            if not is_loopback(self.rest_host):
                raise ValueError("KRKN_AUTH=none listens on loopback only: set KRKN_REST_HOST")
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                raise ValueError("KRKN_AUTH=none is for one's own machine, not for a pod")
        if not is_local and self.tls != "mesh":
            raise ValueError("beyond loopback without TLS only with KRKN_TLS=mesh")
        return self

    @property
    def grpc_address(self) -> str:
        """The address to listen on, in gRPC's format."""
        host = self.grpc_host.strip("[]")
        return f"[{host}]:{self.grpc_port}" if ":" in host else f"{host}:{self.grpc_port}"
