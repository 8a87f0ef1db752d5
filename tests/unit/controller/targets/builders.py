"""Targets as they are at some moment."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

import msgspec

from krkn_grpc.resources.meta import Condition, ObjectMeta
from krkn_grpc.resources.target import ADMITTED, READY, Target, TargetSpec, TargetStatus

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
UUID = "6f1c1b6e-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class ATarget:
    """A target, built step by step; generation 2, so that there has been another spec."""

    name: str = "cluster"
    url: str = "https://10.0.0.1:6443"
    uuid: str = UUID
    metadata: ObjectMeta = field(
        default=ObjectMeta(name=UUID, uid="uid", generation=2, creation_timestamp=NOW)
    )
    status: TargetStatus = field(default=TargetStatus())

    def with_metadata(self, **changes: object) -> Self:
        """Change fields of the metadata."""
        return replace(self, metadata=msgspec.structs.replace(self.metadata, **changes))

    def with_condition(
        self,
        kind: str,
        status: Literal["True", "False"],
        reason: str = "Because",
        *,
        generation: int = 2,
    ) -> Self:
        """Add a condition."""
        new = Condition(
            type=kind,
            status=status,
            reason=reason,
            message=f"{reason}.",
            last_transition_time=NOW,
            observed_generation=generation,
        )
        conditions = [*self.status.conditions, new]
        return replace(self, status=msgspec.structs.replace(self.status, conditions=conditions))

    def admitted(self, *, generation: int = 2) -> Self:
        """Make it hold its name and URL."""
        return self.with_condition(ADMITTED, "True", generation=generation)

    def refused(self, *, generation: int = 2) -> Self:
        """Make it a loser."""
        return self.with_condition(ADMITTED, "False", "DuplicateName", generation=generation)

    def checked(self, *, ready: bool, ago: float = 0.0, generation: int = 2) -> Self:
        """Let its cluster have been looked at, so many seconds before NOW."""
        found = self.with_condition(
            READY,
            "True" if ready else "False",
            "Reachable" if ready else "Unreachable",
            generation=generation,
        )
        status = msgspec.structs.replace(
            found.status, ready=ready, last_updated=NOW - timedelta(seconds=ago)
        )
        return replace(found, status=status)

    def built(self) -> Target:
        """Return it."""
        spec = TargetSpec(
            uuid=self.uuid,
            cluster_name=self.name,
            cluster_api_url=self.url,
            secret_type="token",
            secret_uuid=UUID,
        )
        metadata = msgspec.structs.replace(self.metadata, name=self.uuid, uid=f"uid-{self.uuid}")
        return Target(metadata=metadata, spec=spec, status=self.status)
