"""The loop of one job: look, decide, act, until there is nothing to do but wait."""

from dataclasses import dataclass

import structlog

from controller.jobs import outcome
from controller.jobs.act import Actor, Refused
from controller.jobs.decide import decide
from controller.jobs.model import CreatePod, SetStatus
from controller.jobs.observe import Observer
from krkn_grpc.kube.errors import Conflict, Invalid, NotFound

_STALE_SECONDS = 0.2
_MOST_STEPS = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """Brings jobs to their end, one step after the other."""

    observer: Observer
    actor: Actor

    async def reconcile(self, job_id: str) -> float | None:
        """Do all that the job needs now; return the seconds after which to look again, if any."""
        for _ in range(_MOST_STEPS):
            seen = await self.observer.observe(job_id)
            decision = decide(seen)
            try:
                for action in decision.actions:
                    await self.actor.act(action)
            except Refused as error:
                if seen.job is not None:
                    status = outcome.failed(seen.job, error.refusal, seen.now)
                    await self.actor.act(SetStatus(seen.job, status))
                return 0.0
            except (Conflict, Invalid, NotFound) as error:
                # Not as it was seen: the watch is behind, or someone else was faster.
                _log.info("looked at something stale", job=job_id, error=str(error))
                return _STALE_SECONDS
            for action in decision.actions:
                _log.info("acted", job=job_id, action=type(action).__name__)
            # What these wrote is known at once; what others bring about, the watch tells.
            if not decision.actions or not all(
                isinstance(action, CreatePod | SetStatus) for action in decision.actions
            ):
                return decision.again_in
        return _STALE_SECONDS
