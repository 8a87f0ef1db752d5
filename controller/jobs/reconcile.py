"""The loop of one job: look, decide, act, until there is nothing to do but wait."""

from dataclasses import dataclass

import structlog

from controller.jobs import outcome
from controller.jobs.act import Actor
from controller.jobs.decide import decide
from controller.jobs.model import CreatePod, DeleteSecrets, Observed, Refusal, SetStatus
from controller.jobs.observe import Observer
from controller.jobs.trouble import Delayed, Refused
from controller.queue import NotYet
from krkn_grpc.kube.errors import Conflict, Invalid, NotFound

_DELAYED_SECONDS = 5.0
_MOST_STEPS = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """Brings jobs to their end, one step after the other."""

    observer: Observer
    actor: Actor

    async def reconcile(self, job_id: str) -> float | None:
        """Do all that the job needs now; return the seconds after which to look again, if any.

        Raises NotYet when something was not as it was seen.
        """
        for _ in range(_MOST_STEPS):
            seen = await self.observer.observe(job_id)
            decision = decide(seen)
            try:
                for action in decision.actions:
                    await self.actor.act(action)
                    _log.info("acted", job=job_id, action=type(action).__name__, trace=seen.trace)
            except Refused as error:
                await self._fail(seen, error.refusal)
                continue
            except Delayed as error:
                await self._report(seen, error.refusal)
                return _DELAYED_SECONDS
            except (Conflict, Invalid, NotFound) as error:
                # The watch is behind, or someone else was faster.
                raise NotYet(str(error)) from error
            # What these wrote is known at once; what others bring about, the watch tells.
            if not decision.actions or not all(
                isinstance(action, CreatePod | SetStatus) for action in decision.actions
            ):
                return decision.again_in
        raise NotYet("it took more steps than any job needs")

    async def _fail(self, seen: Observed, why: Refusal) -> None:
        assert seen.job is not None, "only a job's own pod can be refused"
        status = outcome.without_pod(seen.job, why, seen.now)
        await self._write(SetStatus(seen.job, status))
        await self.actor.act(DeleteSecrets(seen.job))

    async def _report(self, seen: Observed, why: Refusal) -> None:
        assert seen.job is not None, "only a job's own pod can be delayed"
        status = outcome.waiting(seen.job, why)
        if status != seen.job.status:
            await self._write(SetStatus(seen.job, status))

    async def _write(self, change: SetStatus) -> None:
        try:
            await self.actor.act(change)
        except (Conflict, Invalid, NotFound) as error:
            raise NotYet(str(error)) from error
