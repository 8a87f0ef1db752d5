"""Puts the controller together and runs it until it is told to stop."""

import asyncio
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self

import structlog

from controller.jobs.act import Actor
from controller.jobs.model import Limits
from controller.jobs.observe import Observer
from controller.jobs.reconcile import Reconciler
from controller.provider.heartbeat import keep_registered, sign_off
from controller.queue import Queue
from controller.settings import Settings
from controller.targets.decide import Limits as TargetLimits
from controller.targets.probe_limits import ProbeLimits
from controller.targets.probe_network import SystemResolver
from controller.targets.reconcile import TargetReconciler
from controller.targets.sweep import Sweep
from krkn_grpc.admission.reservations import Reservations
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.session import Session
from krkn_grpc.kube.store import Store
from krkn_grpc.resources import labels
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.provider import Provider
from krkn_grpc.resources.target import Target

_log = structlog.get_logger(__name__)


async def control(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        access = await ClusterAccess.load(settings.kubeconfig)
        session = await stack.enter_async_context(Session(access))
        group = await stack.enter_async_context(asyncio.TaskGroup())

        jobs = WatchCache(Store(session, ChaosJob, settings.namespace))
        targets = WatchCache(Store(session, Target, settings.namespace))
        pods = WatchCache(
            Store(session, Pod, settings.namespace), labels=f"{labels.APP}={labels.APP_SCENARIO}"
        )
        providers = Store(session, Provider, settings.namespace)
        queue = Queue("jobs", _reconciler(settings, session, jobs, pods, targets).reconcile)
        jobs.listen(lambda seen: queue.add(seen.object.metadata.name))
        pods.listen(lambda seen: _add_owner(queue, seen.object))

        target_work = _TargetWork.of(settings, session, targets)
        targets.listen(lambda seen: target_work.queue.add(seen.object.metadata.name))

        tasks = [group.create_task(cache.run()) for cache in (jobs, pods, targets)]
        await asyncio.gather(jobs.synced(), pods.synced(), targets.synced())
        tasks.append(group.create_task(queue.run(settings.workers)))
        tasks.append(group.create_task(keep_registered(providers, settings.heartbeat_seconds)))
        tasks.append(group.create_task(target_work.queue.run(settings.checks)))
        tasks.append(group.create_task(target_work.sweep.run()))
        _log.info("running", namespace=settings.namespace, jobs=len(jobs), pods=len(pods))

        await stop.wait()
        _log.info("stopping")
        for task in tasks:
            task.cancel()
        await sign_off(providers)


@dataclass(frozen=True)
class _TargetWork:
    """What is done about targets: each in its turn, and a sweep over all."""

    queue: Queue
    sweep: Sweep

    @classmethod
    def of(cls, settings: Settings, session: Session, targets: WatchCache[Target]) -> Self:
        secrets = Store(session, Secret, settings.namespace)
        leases = Store(session, Lease, settings.namespace)
        reservations = Reservations(leases, targets.store)
        reconciler = TargetReconciler(
            targets=targets,
            secrets=secrets,
            reservations=reservations,
            rules=AddressRules(settings.allowed_target_networks),
            resolver=SystemResolver(),
            limits=TargetLimits(check_seconds=settings.check_seconds),
            probe_limits=ProbeLimits(),
        )
        queue = Queue("targets", reconciler.reconcile)
        return cls(queue, Sweep(targets, secrets, leases, reservations))


def _reconciler(
    settings: Settings,
    session: Session,
    jobs: WatchCache[ChaosJob],
    pods: WatchCache[Pod],
    targets: WatchCache[Target],
) -> Reconciler:
    secrets = Store(session, Secret, settings.namespace)
    leases = Store(session, Lease, settings.namespace)
    rules = AddressRules(settings.allowed_target_networks)
    limits = Limits(start_seconds=settings.start_seconds)
    return Reconciler(
        Observer(jobs, pods, targets, secrets, leases, rules, limits),
        Actor(jobs, pods, secrets, leases, settings.image_pull_policy, settings.grace_seconds),
    )


def _add_owner(queue: Queue, pod: Pod) -> None:
    if (job_id := pod.metadata.labels.get(labels.JOB_ID)) is not None:
        queue.add(job_id)
