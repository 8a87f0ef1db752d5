"""Reconciles one request: observe, decide, act once; the resulting change queues it again."""

from dataclasses import dataclass, replace

import structlog

from controller.target_requests.act import Actor
from controller.target_requests.decide import decide, left_for_answers
from controller.target_requests.model import Contribute, Limits, Observed, WriteSection
from controller.target_requests.observe import Observer
from krkn_grpc.kube.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    KubeError,
    NotFound,
)
from krkn_grpc.kube.informer import Informer
from krkn_grpc.resources.target_request import TargetRequestSummary
from krkn_grpc.told import told

_STALE_SECONDS = 0.2
_REPEATED_SECONDS = 10.0
"""After the deadline a write that fails for a moment is tried for so long."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TargetRequestReconciler:
    """Answers, completes and removes requests."""

    requests: Informer[TargetRequestSummary]
    observer: Observer
    actor: Actor
    limits: Limits

    async def reconcile(self, uuid: str) -> float | None:
        """Do the request's next step; return the seconds until the next reconcile, if any."""
        request = self.requests.get(uuid)
        if request is None:
            return None
        seen = await self.observer.observe(request)
        step = decide(seen, self.limits)
        try:
            try:
                return await self.actor.act(request, step)
            except KubeError as error:
                if not isinstance(step, WriteSection | Contribute) or not self._ends(seen, error):
                    raise
                _log.warning("answer refused", request=uuid, error=told(error))
            # Without our answer, which is tried again later: the request has a deadline.
            rest = decide(replace(seen, is_refused=True), self.limits)
            return await self.actor.act(request, rest)
        except (AlreadyExists, Conflict, NotFound):
            # Not as it was seen: another provider was faster.
            return _STALE_SECONDS

    def _ends(self, seen: Observed, error: KubeError) -> bool:
        """Whether a repetition of the write is not waited for any longer."""
        if isinstance(error, AlreadyExists | Conflict | NotFound):
            return False
        late = -left_for_answers(seen, self.limits)
        return isinstance(error, Invalid | Forbidden) or late >= _REPEATED_SECONDS
