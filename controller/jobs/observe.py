"""Reads one job and the objects that belong to it.

A cache may be stale. Acting on it is mostly safe, because every write says what it expects to
find. Where a write would not notice stale data, the API server is asked here.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.blackouts.current import CurrentBlackouts
from controller.blackouts.timetable import InForce
from controller.credentials import CredentialCache
from controller.halts.current import CurrentHalts
from controller.jobs import conditions, deadlines, termination
from controller.jobs.claims import Claims
from controller.jobs.model import (
    Limits,
    Observed,
    Tombstone,
    Turn,
    is_as_requested,
    is_held,
    is_ours,
)
from controller.jobs.tombstones import Tombstones
from controller.jobs.turns import Turns
from controller.reason import Reason
from controller.results.ended_logs import EndedLogs
from controller.results.model import NO_LOG, LogDigest
from controller.runs.limits import RunLimits
from controller.runs.model import RunState
from krkn_grpc.kube.client import R, ResourceClient
from krkn_grpc.kube.errors import NotFound
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.paths import BadName
from krkn_grpc.resources import names
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.credential_secret import Credential
from krkn_grpc.resources.halt import Halt
from krkn_grpc.resources.order import Order
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target

_YOUNG = timedelta(seconds=30)


@dataclass(frozen=True)
class Observer:
    """Reads jobs, pods and targets from the caches, and live where stale data would do harm."""

    jobs: Informer[ChaosJob]
    pods: Informer[Pod]
    targets: Informer[Target]
    tombstones: Tombstones
    claims: Claims
    turns: Turns
    runs: RunLimits
    halts: CurrentHalts
    blackouts: CurrentBlackouts
    secrets: ResourceClient[Secret]
    credentials: CredentialCache
    logs: EndedLogs
    limits: Limits
    clock: Callable[[], datetime]
    """The time as the API server has it."""

    async def observe(self, job_id: str) -> Observed:
        """Return the job and its objects as they are now."""
        job = self.jobs.get(job_id)
        pod = self.pods.get(names.pod_for(job_id))
        if pod is not None and (job is None or _may_be_newer(pod, job)):
            # Read after the pod was seen, so it is at least as new: a pod never counts as
            # orphaned because its job arrived late in the cache.
            job = await _live(self.jobs.client, job_id)
        if job is None or job.metadata.deletion_timestamp is not None or job.status.is_final:
            counted = RunState(is_departed=await self._may_go(job))
            return Observed(job_id, job, pod, None, None, self._now(), self.limits, run=counted)
        if not job.status.pod_uid and not self.claims.has(job):
            # Nothing else is read before the job's id is claimed.
            now = self._now()
            return Observed(job_id, job, pod, None, None, now, self.limits, is_claimed=False)
        tombstone: Tombstone | None = None
        if _is_gone(pod, job) or _is_overdue(pod, self._now()):
            known, pod = pod, await _live(self.pods.client, names.pod_for(job_id))
            tombstone = self._tombstone(job, known)
        target: Target | None = None
        found: Credential | Reason | None = None
        turn: Turn | None = None
        run = None if job.spec.stop else await self.runs.of(job)
        in_force = self.blackouts.in_force()
        labels, halts = await self._labels_and_halts(job, in_force)
        blackouts = tuple(each for each in in_force if each.blackout.selects(labels))
        is_halted = any(halt.selects(labels) for halt in halts)
        is_named = bool(job.status.pod_uid)
        is_over = is_halted or (
            run is not None and run.end_of(is_named=is_named, has_started=False) is not None
        )
        if job.status.start_time is None and not job.spec.stop and not is_over:
            has_turn = not blackouts and (run is None or run.has_turn)
            is_new = pod is None and not is_named
            if is_new and has_turn and self._may_be_its_turn(job):
                target, found = await self._what_a_pod_needs(job)
            else:
                target = await self._target(job)
            if target is not None and not is_named:
                turn = self.turns.of(job, target)
        return Observed(
            job_id,
            job,
            pod,
            target,
            found,
            self._now(),
            self.limits,
            tombstone=tombstone,
            turn=turn,
            run=run,
            halts=halts,
            are_halts_known=self.halts.are_known,
            target_labels=labels,
            blackouts=blackouts,
            are_blackouts_known=self.blackouts.are_known,
            log=self._log(job, pod),
        )

    def _log(self, job: ChaosJob, pod: Pod | None) -> LogDigest | None:
        """Return what is known of the log of the job's pod, None while it is being read."""
        if not job.status.pod_uid:
            return NO_LOG
        if not self._is_current(job):
            # Its end has been seen since: nobody would forget a read that begins now.
            return None
        if pod is None or pod.metadata.uid != job.status.pod_uid:
            return self.logs.of_gone(job)
        if not termination.has_log(job, pod):
            return NO_LOG
        if pod.is_terminal:
            return self.logs.of(job)
        return NO_LOG if pod.metadata.deletion_timestamp is None else self.logs.of_going(job)

    def _is_current(self, job: ChaosJob) -> bool:
        """Whether the cache has the job, and not as one that has ended."""
        cached = self.jobs.get(job.metadata.name)
        if cached is None or cached.metadata.uid != job.metadata.uid:
            return False
        return not cached.status.is_final

    async def _may_go(self, job: ChaosJob | None) -> bool:
        """Whether the run of a finished job whose time is over has counted it."""
        over = None if job is None else deadlines.kept_until(job)
        if job is None or over is None or self._now() < over:
            return False
        return await self.runs.has_counted(job)

    def _may_be_its_turn(self, job: ChaosJob) -> bool:
        """Whether to read what a pod needs; the hundreds of jobs that wait do not."""
        target = self.targets.get(job.spec.target_uuid)
        turn = None if target is None else self.turns.of(job, target)
        return turn is None or turn.has_come

    async def _labels_and_halts(
        self, job: ChaosJob, in_force: tuple[InForce, ...]
    ) -> tuple[Mapping[str, str] | None, tuple[Halt, ...]]:
        """Return the labels of the job's target if an order needs them, and the halts that hold."""
        halts = () if job.spec.stop else self.halts.all()
        orders: list[Order] = [*halts, *(each.blackout for each in in_force)]
        labels: Mapping[str, str] | None = None
        if any(order.needs_labels for order in orders):
            labels = await self._labels(job)
        if not halts:
            return labels, ()
        # A halt may have been lifted just before a young job was asked for: it must not end for
        # what the cache has not seen yet. For a job that is older than the halt that is no matter.
        gone = [
            halt
            for halt in halts
            if halt.selects(labels)
            and not _is_older(job, halt)
            and not await self.halts.still_holds(halt)
        ]
        return labels, tuple(halt for halt in halts if halt not in gone)

    async def _labels(self, job: ChaosJob) -> Mapping[str, str] | None:
        """Return the labels of the target that the job was made for, None when it is gone."""
        uuid, uid = job.spec.target_uuid, job.spec.target_uid
        target = self.targets.get(uuid)
        if target is None or target.metadata.uid != uid:
            target = await _live(self.targets.client, uuid)
        is_it = target is not None and target.metadata.uid == uid
        return target.metadata.labels if target is not None and is_it else None

    def _tombstone(self, job: ChaosJob, known: Pod | None) -> Tombstone | None:
        """Return the last state of the job's pod: from the cache if it is still there."""
        if known is not None and known.metadata.uid == job.status.pod_uid:
            return Tombstone(known, self._now())
        return self.tombstones.get(job.status.pod_uid)

    async def _what_a_pod_needs(
        self, job: ChaosJob
    ) -> tuple[Target | None, Credential | Reason | None]:
        """Return the target, and its current credential if the job may have it."""
        # The server has read the target of a young job in the same call: even if our watch is
        # silent, a change of the target goes unseen no longer than that call and this time.
        is_young = _age(job, self._now()) < _YOUNG
        target, secret = await asyncio.gather(
            self._target(job) if is_young else _live(self.targets.client, job.spec.target_uuid),
            _live(self.secrets, job.spec.target_secret_uuid),
        )
        if target is None or not target.is_admitted or not is_as_requested(target, job):
            return target, None
        return target, self.credentials.credential(secret, target)

    def _now(self) -> datetime:
        # Kubernetes stamps whole seconds.
        return self.clock().replace(microsecond=0)

    async def _target(self, job: ChaosJob) -> Target | None:
        """Return the target of a job; read live when the cached one would forbid a pod."""
        known = self.targets.get(job.spec.target_uuid)
        if known is not None and _may_have_pod(known, job):
            return known
        return await _live(self.targets.client, job.spec.target_uuid)


def _may_have_pod(known: Target, job: ChaosJob) -> bool:
    return known.is_admitted and known.unfit is None and is_as_requested(known, job)


def _may_be_newer(pod: Pod, job: ChaosJob) -> bool:
    """Whether the pod's state implies that the job has changed since it was seen."""
    if not is_ours(pod, job):
        return True
    is_named = pod.metadata.uid == job.status.pod_uid
    # The pod of a job that waits for its turn may be deleted, unless another leader has named it.
    is_expected = is_held(pod) and not conditions.is_queued(job)
    return not is_named and not is_expected and not job.status.is_final


def _is_older(job: ChaosJob, halt: Halt) -> bool:
    """Whether the job was surely there before the halt; timestamps are whole seconds."""
    asked, halted = job.metadata.creation_timestamp, halt.metadata.creation_timestamp
    return asked is not None and halted is not None and asked < halted


def _is_gone(pod: Pod | None, job: ChaosJob) -> bool:
    """Whether the pod named in the status seems to be gone, which ends the job for good."""
    return bool(job.status.pod_uid) and (pod is None or pod.metadata.uid != job.status.pod_uid)


def _is_overdue(pod: Pod | None, now: datetime) -> bool:
    """Whether the pod's grace period is over: its end must not be missed."""
    if pod is None or pod.is_terminal or pod.metadata.deletion_timestamp is None:
        return False
    return now >= pod.metadata.deletion_timestamp


def _age(job: ChaosJob, now: datetime) -> timedelta:
    created = job.metadata.creation_timestamp
    return timedelta.max if created is None else abs(now - created)


async def _live(client: ResourceClient[R], name: str) -> R | None:
    try:
        return await client.get(name)
    except (NotFound, BadName):
        return None
