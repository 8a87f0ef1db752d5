"""Assembles the controller and runs it until SIGTERM or SIGINT."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import structlog

from controller.account_tokens import AccountTokens
from controller.adoption.controller import AdoptionController
from controller.events import EventRecorder
from controller.health import answering
from controller.job_logs.controller import JobLogController
from controller.jobs.controller import JobController, Watched
from controller.leader_election import Leadership, Terms
from controller.provider.heartbeat import keep_registered, sign_off
from controller.runs.controller import RunController
from controller.settings import Settings
from controller.standing_orders import StandingOrders
from controller.target_requests.controller import TargetRequestController
from controller.targets.controller import TargetController
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.informer import Informer
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.core import Event, Lease
from krkn_grpc.resources.provider import Provider
from krkn_grpc.stopping import ends_before, stop_requested
from krkn_grpc.telemetry import metrics, tracing
from krkn_grpc.telemetry.exposition import exposed

_log = structlog.get_logger(__name__)


async def control(settings: Settings) -> None:
    """Run the controller until SIGTERM or SIGINT."""
    stop = stop_requested()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            tracing.exported(settings.otel_exporter_otlp_endpoint, "krkn-grpc-controller")
        )
        access = await ClusterAccess.load(settings.kubeconfig)
        session = await stack.enter_async_context(Session(access))
        tokens = _tokens(settings, access, session)
        await stack.enter_async_context(
            exposed(
                metrics.CONTROLLER,
                settings.metrics_host,
                settings.controller_metrics_port,
                setting="KRKN_CONTROLLER_METRICS_PORT",
                program="krkn-grpc controller",
            )
        )
        # The server and the log reader start when this process is healthy: then they have theirs.
        if tokens is not None and not await ends_before(stop, tokens.first()):
            return
        await stack.enter_async_context(answering(settings.health_host, settings.health_port))
        group = await stack.enter_async_context(asyncio.TaskGroup())

        watched = Watched.of(session, settings.namespace)
        providers = ResourceClient(session, Provider, settings.namespace)
        leases = ResourceClient(session, Lease, settings.namespace)
        events = EventRecorder(ResourceClient(session, Event, settings.namespace))
        request_work = TargetRequestController.of(settings, session, watched.targets)
        adoption = AdoptionController.of(settings, session, watched.targets, request_work.requests)
        orders = StandingOrders.of(session, settings.namespace)
        run_work = RunController.of(settings, session, watched.jobs, watched.pods)
        log_work = JobLogController.of(settings, session, watched.jobs)
        job_work = JobController.of(
            settings,
            session,
            watched,
            orders,
            events,
            run_work,
            adoption.refresh,
            log_work.keeper,
        )
        target_work = TargetController.of(settings, session, watched.targets, events)
        watched.targets.listen(target_work.look)
        caches: list[Informer[Any]] = [*watched.caches, run_work.runs, *request_work.caches]
        # Those that no start of the controller waits for.
        others: list[Informer[Any]] = [*orders.caches, log_work.kept]
        watching = [group.create_task(cache.run()) for cache in [*caches, *others]]
        if tokens is not None:
            watching.append(group.create_task(tokens.keep_fresh()))

        async def work() -> None:
            await orders.look_first()
            async with asyncio.TaskGroup() as leading:
                for each in (
                    events.run(),
                    orders.run(),
                    log_work.sweep(),
                    job_work.run(settings.workers),
                    job_work.sweep.run(),
                    job_work.traces.run(),
                    run_work.run(),
                    run_work.sweep(),
                    target_work.run(settings.probe_workers),
                    target_work.sweep.run(),
                    request_work.run(),
                    adoption.run(),
                    keep_registered(providers, settings.heartbeat_seconds),
                ):
                    leading.create_task(each)

        async def take_part() -> None:
            await asyncio.gather(*(cache.synced() for cache in caches))
            _log.info("running", namespace=settings.namespace)
            leadership = Leadership(leases, Terms(settings.lease_seconds))
            await leadership.run(work, lambda: sign_off(providers))

        lead = group.create_task(take_part())
        await stop.wait()
        _log.info("stopping")
        lead.cancel()
        # Release the Lease while everything else still works.
        await asyncio.wait([lead])
        for task in watching:
            task.cancel()


def _tokens(settings: Settings, access: ClusterAccess, session: Session) -> AccountTokens | None:
    directory = settings.account_tokens_directory
    if directory is None:
        return None
    return AccountTokens(session, settings.namespace, directory, access.ca_pem)
