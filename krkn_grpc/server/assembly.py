"""Puts the server together and runs it until it is told to stop."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.cache import WatchCache
from krkn_grpc.kube.groups import everything
from krkn_grpc.kube.history import History
from krkn_grpc.kube.logs import Logs
from krkn_grpc.kube.session import Session
from krkn_grpc.kube.store import Store
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.chaos_job import ChaosJob
from krkn_grpc.resources.core import Lease, Secret
from krkn_grpc.resources.pod import Pod
from krkn_grpc.resources.target import Target
from krkn_grpc.server import limits, reflection
from krkn_grpc.server.auth.gate import KubernetesGate, OpenGate
from krkn_grpc.server.auth.interceptor import GateInterceptor
from krkn_grpc.server.auth.reviews import Reviews
from krkn_grpc.server.boundary import Boundary
from krkn_grpc.server.carry import Carrier
from krkn_grpc.server.health import HealthServicer, keep_current
from krkn_grpc.server.runs.listing import groups_of
from krkn_grpc.server.runs.logs import LogStreamer
from krkn_grpc.server.runs.requests import Requests
from krkn_grpc.server.runs.servicer import ScenarioRunServicer
from krkn_grpc.server.runs.submission import Submission
from krkn_grpc.server.runs.watch import Watch
from krkn_grpc.server.settings import Settings
from krkn_grpc.server.standing import Standing
from krkn_grpc.server.targets.registration import Registry
from krkn_grpc.server.targets.servicer import TargetServicer
from krkn_grpc.v1 import health_pb2_grpc as krkn_health_pb2_grpc
from krkn_grpc.v1 import scenario_runs_pb2_grpc, targets_pb2_grpc

_SERVICES = ("krkn.v1.TargetService", "krkn.v1.ScenarioRunService", "krkn.v1.HealthService")

_log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then let the calls under way come to their end."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        access = await ClusterAccess.load(settings.kubeconfig)
        session = await stack.enter_async_context(Session(access))
        background = await stack.enter_async_context(asyncio.TaskGroup())
        tasks: list[asyncio.Task[None]] = []
        stack.callback(_cancel, tasks)

        targets = WatchCache(Store(session, Target, settings.namespace), groups_of=everything)
        jobs = WatchCache(Store(session, ChaosJob, settings.namespace), groups_of=groups_of)
        tasks += [background.create_task(cache.run()) for cache in (targets, jobs)]

        carrier, standing = Carrier(), Standing(_SERVICES)
        # Lists must be whole from the first answer on.
        if not await _unless(stop, asyncio.gather(targets.synced(), jobs.synced())):
            _log.info("stopping before it served")
            return
        history = History(jobs, settings.watch_history)
        server = _server(settings, session, targets, jobs, history, carrier, standing)
        port = server.add_insecure_port(settings.grpc_address)
        await server.start()
        tasks.append(background.create_task(keep_current(standing, session)))
        _log.info("serving", host=settings.grpc_host, port=port, namespace=settings.namespace)

        await stop.wait()
        _log.info("stopping")
        standing.close()
        history.close()
        await server.stop(settings.stop_seconds)
        await carrier.finish(settings.stop_seconds)


async def _unless(stop: asyncio.Event, awaited: "asyncio.Future[Any]") -> bool:
    """Whether what is awaited came before the order to stop."""
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({stopping, awaited}, return_when=asyncio.FIRST_COMPLETED)
    for waiting in (stopping, awaited):
        waiting.cancel()
    return not stop.is_set()


def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


def _server(
    settings: Settings,
    session: Session,
    targets: WatchCache[Target],
    jobs: WatchCache[ChaosJob],
    history: History[ChaosJob],
    carrier: Carrier,
    standing: Standing,
) -> grpc.aio.Server:
    secrets = Store(session, Secret, settings.namespace)
    leases = Store(session, Lease, settings.namespace)
    registry = Registry(targets, leases, secrets)
    requests = Requests(leases, settings.request_seconds)
    reviews = Reviews(
        session,
        settings.namespace,
        settings.audience,
        remember_seconds=settings.remember_seconds,
    )
    gate = (
        OpenGate() if settings.auth == "none" else KubernetesGate(reviews, settings.recheck_seconds)
    )
    server = grpc.aio.server(
        interceptors=[Boundary(), GateInterceptor(gate, carrier, reflection=settings.reflection)],
        options=limits.options(),
        maximum_concurrent_rpcs=limits.MOST_CALLS,
    )
    targets_pb2_grpc.add_TargetServiceServicer_to_server(
        TargetServicer(
            registry=registry,
            targets=targets,
            rules=AddressRules(settings.allowed_target_networks, settings.allow_proxy_url),
            write_seconds=settings.write_seconds,
        ),
        server,
    )
    scenario_runs_pb2_grpc.add_ScenarioRunServiceServicer_to_server(
        ScenarioRunServicer(
            submission=Submission(registry, jobs, secrets, requests),
            watch=Watch(jobs, history),
            logs=LogStreamer(
                jobs,
                history,
                Store(session, Pod, settings.namespace),
                Logs(session, settings.namespace),
                settings.log_silence_seconds,
            ),
            jobs=jobs,
            targets=targets,
            allowed_images=settings.allowed_images,
            write_seconds=settings.write_seconds,
        ),
        server,
    )
    krkn_health_pb2_grpc.add_HealthServiceServicer_to_server(HealthServicer(session), server)
    health_pb2_grpc.add_HealthServicer_to_server(standing, server)
    health_name = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
    reflection.enable((*_SERVICES, health_name), server)
    return server
