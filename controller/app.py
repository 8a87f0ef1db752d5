"""Puts the controller together and runs it until it is told to stop."""

import asyncio
import signal
from contextlib import AsyncExitStack

import structlog

from controller.health import answering
from controller.jobs.events import Announcer
from controller.jobs.work import JobWork, Watched
from controller.leader import Leadership, Terms
from controller.provider.heartbeat import keep_registered, sign_off
from controller.settings import Settings
from controller.targets.work import TargetWork
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.session import Session
from krkn_grpc.kube.store import Store
from krkn_grpc.resources.core import Event, Lease
from krkn_grpc.resources.provider import Provider

_log = structlog.get_logger(__name__)


async def control(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        access = await ClusterAccess.load(settings.kubeconfig)
        session = await stack.enter_async_context(Session(access))
        await stack.enter_async_context(answering(settings.health_host, settings.health_port))
        group = await stack.enter_async_context(asyncio.TaskGroup())

        watched = Watched.of(session, settings.namespace)
        providers = Store(session, Provider, settings.namespace)
        leases = Store(session, Lease, settings.namespace)
        announcer = Announcer(Store(session, Event, settings.namespace))
        job_work = JobWork.of(settings, session, watched, announcer)
        target_work = TargetWork.of(settings, session, watched.targets)
        watched.targets.listen(target_work.look)
        watching = group.create_task(watched.run())

        async def work() -> None:
            async with asyncio.TaskGroup() as leading:
                leading.create_task(announcer.run())
                leading.create_task(job_work.run(settings.workers))
                leading.create_task(job_work.sweep.run())
                leading.create_task(target_work.run(settings.checks))
                leading.create_task(target_work.sweep.run())
                leading.create_task(keep_registered(providers, settings.heartbeat_seconds))

        async def take_part() -> None:
            await watched.synced()
            _log.info("running", namespace=settings.namespace)
            leadership = Leadership(leases, Terms(settings.lease_seconds))
            await leadership.run(work, lambda: sign_off(providers))

        lead = group.create_task(take_part())
        await stop.wait()
        _log.info("stopping")
        lead.cancel()
        # The Lease is released while everything else still works.
        await asyncio.wait([lead])
        watching.cancel()
