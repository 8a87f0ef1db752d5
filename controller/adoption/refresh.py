"""Asks the providers for their clusters again, when a job needs a newer credential.

At most one request is created for a provider and a time slot, however many jobs ask and whichever
leaders act: its name follows from the two.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

import structlog

from krkn_grpc.kube.errors import AlreadyExists
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources import well_known
from krkn_grpc.resources.ids import hashed_id
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.target_request import COMPLETED, TargetRequestSpec, TargetRequestSummary

REQUESTED_BY = "krkn-grpc-controller"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Refresh:
    """Creates requests; a provider's answer to any request renews its credentials."""

    SLOT_SECONDS: ClassVar[float] = 60.0
    """Longer than providers are given for an answer: an older request brings none any more."""

    summaries: Informer[TargetRequestSummary]
    adopted_seconds: float
    clock: Callable[[], datetime]
    """The time as the API server has it."""

    _asked: dict[str, str] = field(default_factory=dict)

    async def __call__(self, provider: str) -> None:
        """Create a request, unless one is under way, which goes to all providers."""
        now = self.clock()
        slot = min(self.SLOT_SECONDS, self.adopted_seconds)
        uuid = hashed_id(f"refresh {provider} {slot} {now.timestamp() // slot}")
        if self._asked.get(provider) == uuid or self._is_under_way(now):
            return
        wanted = TargetRequestSummary(
            metadata=ObjectMeta(
                name=uuid,
                namespace=self.summaries.client.namespace,
                labels={well_known.REQUEST_UUID: uuid},
                annotations={well_known.REQUESTED_BY: REQUESTED_BY},
            ),
            spec=TargetRequestSpec(uuid=uuid),
        )
        try:
            self.summaries.remember(await self.summaries.client.create(wanted))
            _log.info("credentials requested", provider=provider, request=uuid)
        except AlreadyExists:
            pass
        self._asked[provider] = uuid

    def _is_under_way(self, now: datetime) -> bool:
        """Whether a young request still waits for answers."""
        since = now - timedelta(seconds=self.SLOT_SECONDS)
        return any(
            each.status.status != COMPLETED
            and each.metadata.deletion_timestamp is None
            and each.metadata.creation_timestamp is not None
            and each.metadata.creation_timestamp > since
            for each in self.summaries.values()
        )
