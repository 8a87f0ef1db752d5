"""The controller's settings: environment variables that start with KRKN_, each with a default."""

from typing import Literal, Self

from pydantic import Field, model_validator

from krkn_grpc.settings import ProcessSettings


class Settings(ProcessSettings):
    """All that can be set from outside; wrong values stop the controller with a clear message."""

    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        "Always", description="when a scenario's image is pulled"
    )
    start_seconds: int = Field(300, gt=0, description="a job that has not started by then fails")
    grace_seconds: int = Field(60, ge=0, description="what a stopped scenario gets to roll back")
    node_seconds: int = Field(
        120, ge=0, description="a pod that is not gone so long after its grace is on a lost node"
    )
    unclaimed_seconds: float = Field(
        600.0, gt=0, description="inputs that no job claimed go after so long"
    )
    sweep_seconds: float = Field(60.0, gt=0, description="how often leftovers are looked for")
    lease_seconds: float = Field(8.0, ge=1, description="a leader that is dead so long is replaced")
    workers: int = Field(64, gt=0, description="jobs that are worked on at the same time")
    checks: int = Field(128, gt=0, description="target clusters that are asked at the same time")
    check_seconds: float = Field(300.0, gt=0, description="how often a ready target is asked again")
    write_seconds: float = Field(25.0, gt=0, description="the server's: how long a call may write")
    abandoned_seconds: float = Field(
        40.0, gt=0, description="an unfinished registration goes after so long"
    )
    duplicate_seconds: float = Field(
        15.0, gt=0, description="how often a target with another's name or URL is tried again"
    )
    target_sweep_seconds: float = Field(
        8.0, gt=0, description="how often leftovers of targets are looked for"
    )
    heartbeat_seconds: float = Field(30.0, gt=0, description="how often the provider is renewed")
    health_host: str = Field("127.0.0.1", description="where the controller says it is alive")
    health_port: int = Field(0, ge=0, le=65535, description="the port of /healthz; 0: none")

    @model_validator(mode="after")
    def _nothing_under_way_is_abandoned(self) -> Self:
        """What a server is still writing must not be taken for what one left behind."""
        if self.abandoned_seconds <= self.write_seconds:
            raise ValueError("KRKN_ABANDONED_SECONDS must be longer than KRKN_WRITE_SECONDS")
        return self
