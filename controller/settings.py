"""The controller's settings: environment variables that start with KRKN_, each with a default."""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import NoDecode

from controller.scenario_pods.settings import PodSettings
from krkn_grpc.resources.names import PROVIDER

# Less would be a line or two.
_FEWEST_LOG_BYTES = 1_024
_PROVIDER_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class Settings(PodSettings):
    """The settings of the controller; invalid values stop it with a clear message."""

    start_deadline_seconds: int = Field(
        300, gt=0, description="a job that has not started after it fails"
    )
    target_concurrency: int = Field(
        0, ge=0, description="jobs at once on a target that has no limit of its own; 0: any number"
    )
    node_lost_seconds: int = Field(
        120,
        ge=0,
        description="a pod that still exists this long after its grace period is on a lost node",
    )
    unclaimed_seconds: float = Field(
        600.0,
        gt=0,
        description="age at which the inputs of a job that was never created are deleted",
    )
    sweep_seconds: float = Field(
        60.0, gt=0, description="interval of the search for leftovers of jobs"
    )
    lease_seconds: float = Field(
        8.0, ge=1, description="lease duration; a silent leader is replaced after it"
    )
    read_results: bool = Field(
        True,
        description="whether jobs get a `result`; `false`: what a scenario says of its run is not "
        "read",
    )
    keep_log_bytes: int = Field(
        65_536,
        ge=0,
        le=262_144,
        description="the end of each job's log that is kept, compressed; 0: none",
    )
    keep_log_total_bytes: int = Field(
        268_435_456,
        ge=0,
        description="all kept logs together, as they are stored; the oldest go first",
    )
    workers: int = Field(64, gt=0, description="jobs that are reconciled at the same time")
    probe_workers: int = Field(
        128, gt=0, description="target clusters that are probed at the same time"
    )
    probe_interval_seconds: float = Field(
        300.0, gt=0, description="interval between probes of a ready target"
    )
    abandoned_seconds: float = Field(
        40.0, gt=0, description="age at which an unfinished registration is deleted"
    )
    duplicate_retry_seconds: float = Field(
        15.0, gt=0, description="retry interval of a target whose name or URL another one has"
    )
    target_sweep_seconds: float = Field(
        8.0, gt=0, description="interval of the search for leftovers of targets"
    )
    heartbeat_seconds: float = Field(30.0, gt=0, description="interval of the provider's heartbeat")
    provider_lost_seconds: float = Field(
        90.0, gt=0, description="silence after which no target request waits for a provider"
    )
    discovery_deadline_seconds: float = Field(
        50.0, gt=0, description="age at which a target request is completed without the rest"
    )
    discovery_ttl_seconds: float = Field(
        3600.0, gt=0, description="age after completion at which a target request is deleted"
    )
    adopt_providers: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="other providers, by name, whose clusters become targets",
    )
    adopted_seconds: float = Field(
        600.0,
        gt=0,
        description="age of an adopted credential at which a job has it renewed before it starts",
    )
    account_tokens_directory: Path | None = Field(
        None,
        description="where the tokens of the other accounts of the pod are written, in a folder "
        "for each account; unset: nowhere",
    )
    health_host: str = Field("127.0.0.1", description="address of /healthz")
    health_port: int = Field(0, ge=0, le=65535, description="port of /healthz; 0: none")
    controller_metrics_port: int = Field(
        8081, ge=0, le=65535, description="port of /metrics (metrics.md); 0: none"
    )

    @field_validator("adopt_providers", mode="before")
    @classmethod
    def _names_of_providers(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        given = (part.strip() for part in value.split(","))
        return tuple(dict.fromkeys(name for name in given if name))

    @field_validator("adopt_providers")
    @classmethod
    def _others(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if PROVIDER in names:
            raise ValueError(f"{PROVIDER} is this service's own name")
        for name in names:
            if not _PROVIDER_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a provider")
        return names

    @field_validator("keep_log_bytes")
    @classmethod
    def _some_lines_or_none(cls, most: int) -> int:
        if 0 < most < _FEWEST_LOG_BYTES:
            raise ValueError(f"at least {_FEWEST_LOG_BYTES}, or 0 for none")
        return most

    @model_validator(mode="after")
    def _nothing_under_way_is_abandoned(self) -> Self:
        """A registration that a server is still writing must not count as abandoned."""
        if self.abandoned_seconds <= self.write_seconds:
            raise ValueError("KRKN_ABANDONED_SECONDS must be longer than KRKN_WRITE_SECONDS")
        return self
