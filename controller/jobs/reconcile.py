"""Reconciles one job: observe, decide, act, until it can only wait."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from controller.jobs import deadlines, statuses
from controller.jobs.act import Actor
from controller.jobs.create_errors import NO_ANSWER, StartDelayed, StartRefused
from controller.jobs.decide import decide
from controller.jobs.model import (
    Action,
    Claim,
    CreatePod,
    DeletePod,
    DeleteSecrets,
    Observed,
    SetStatus,
)
from controller.jobs.observe import Observer
from controller.jobs.turns import Turns
from controller.reason import Reason
from controller.work_queue import Requeue
from krkn_grpc.kube.errors import Conflict, Invalid, NotFound
from krkn_grpc.telemetry import metrics

_DELAYED_SECONDS = 5.0
_MOST_STEPS = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reconciler:
    """Reconciles jobs, one step after the other."""

    observer: Observer
    actor: Actor
    turns: Turns
    is_crowded: Callable[[], bool]
    """Whether many jobs are queued or being reconciled: jobs that have to start go first."""

    async def reconcile(self, job_id: str) -> float | None:
        """Do all that the job needs now; return the seconds until the next reconcile, if any.

        Raises Requeue when an object was not as it was seen.
        """
        for _ in range(_MOST_STEPS):
            seen = await self.observer.observe(job_id)
            decision = decide(seen)
            if decision.may_wait is not None and self.is_crowded():
                return decision.may_wait
            try:
                for action in decision.actions:
                    await self._act(seen, action)
                    _log.debug("acted", action=type(action).__name__)
            except StartRefused as error:
                await self._fail(seen, error.refusal)
                continue
            except StartDelayed as error:
                await self._report(seen, error.refusal)
                if error.is_passing:
                    raise Requeue(error.refusal.message) from error
                return _DELAYED_SECONDS
            except (Conflict, Invalid, NotFound) as error:
                metrics.JOB_CONFLICTS.inc()
                # The watch is behind, or another writer was faster.
                raise Requeue(str(error)) from error
            # The results of these writes are known at once; the watch reports all others.
            if not decision.actions or not all(
                isinstance(action, Claim | CreatePod | SetStatus) for action in decision.actions
            ):
                return decision.again_in
        raise Requeue("it took more steps than any job needs")

    async def _act(self, seen: Observed, action: Action) -> None:
        if isinstance(action, SetStatus) and seen.turn is not None and action.status.pod_uid:
            with self.turns.taken(action.job, seen.turn):
                return await self.actor.act(action)
        if not isinstance(action, CreatePod):
            await self.actor.act(action)
            if isinstance(action, DeletePod) and seen.job is not None:
                self.actor.tell_stop(seen.job)
            return None
        # An API server that does not answer must not keep the job beyond its start deadline.
        now = self.observer.clock()
        left = deadlines.start(action.job, seen.limits, now) - now
        try:
            async with asyncio.timeout(left.total_seconds()):
                await self.actor.act(action)
        except TimeoutError as error:
            raise StartDelayed(NO_ANSWER, is_passing=True) from error

    async def _fail(self, seen: Observed, why: Reason) -> None:
        assert seen.job is not None, "only a job's own pod can be refused"
        status = statuses.without_pod(seen.job, why, seen.now)
        await self._write(SetStatus(seen.job, status))
        await self.actor.act(DeleteSecrets(seen.job))

    async def _report(self, seen: Observed, why: Reason) -> None:
        assert seen.job is not None, "only a job's own pod can be delayed"
        status = statuses.delayed(seen.job, why, seen.now)
        if status != seen.job.status:
            await self._write(SetStatus(seen.job, status))

    async def _write(self, change: SetStatus) -> None:
        try:
            await self.actor.act(change)
        except (Conflict, Invalid, NotFound) as error:
            metrics.JOB_CONFLICTS.inc()
            raise Requeue(str(error)) from error
