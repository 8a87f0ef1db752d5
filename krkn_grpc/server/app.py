"""Assembles the server and runs it until SIGTERM or SIGINT."""

import asyncio
from contextlib import AsyncExitStack

import grpc
import structlog

from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.change_log import ChangeLog
from krkn_grpc.kube.session import Session
from krkn_grpc.server import limits, ports, probes
from krkn_grpc.server.auth.authentication import KubernetesAuthenticator, NoAuthentication
from krkn_grpc.server.auth.policy import methods_of
from krkn_grpc.server.auth.reviews import Reviews
from krkn_grpc.server.caches import Caches
from krkn_grpc.server.grpc_health import GrpcHealth
from krkn_grpc.server.health import Health, keep_current
from krkn_grpc.server.interceptors.auth import AuthInterceptor
from krkn_grpc.server.interceptors.errors import ErrorInterceptor
from krkn_grpc.server.interceptors.metrics import MetricsInterceptor
from krkn_grpc.server.interceptors.tracing import TracingInterceptor
from krkn_grpc.server.scenarios.current import CurrentCatalogue
from krkn_grpc.server.services import NAMES, Services
from krkn_grpc.server.settings import Settings
from krkn_grpc.server.shielded import ShieldedTasks
from krkn_grpc.stopping import ends_before, stop_requested
from krkn_grpc.telemetry import metrics, tracing
from krkn_grpc.telemetry.exposition import exposed

_log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then give running calls time to finish."""
    stop = stop_requested()
    async with AsyncExitStack() as stack:
        service = "krkn-grpc-logs" if settings.serve == "logs" else "krkn-grpc-server"
        await stack.enter_async_context(
            tracing.exported(settings.otel_exporter_otlp_endpoint, service)
        )
        access = await ClusterAccess.load(settings.kubeconfig)
        session = await stack.enter_async_context(Session(access))
        await stack.enter_async_context(
            exposed(
                metrics.SERVER,
                settings.metrics_host,
                settings.server_metrics_port,
                setting="KRKN_SERVER_METRICS_PORT",
                program="krkn-grpc server",
            )
        )
        background = await stack.enter_async_context(asyncio.TaskGroup())
        tasks: list[asyncio.Task[None]] = []
        stack.callback(_cancel, tasks)

        caches = Caches.of(session, settings.namespace, settings.serve)
        tasks += caches.run_in(background)
        shielded, grpc_health = ShieldedTasks(), GrpcHealth(NAMES)
        # Before the caches are synced: a process that waits for the API server is alive.
        grpc_health.tell(False)
        probe = probes.ProbeServicer()
        probed, health_port = probes.listen(grpc_health, probe, settings.server_health_port)
        await probed.start()
        stack.push_async_callback(probed.stop, None)
        # Serve only when the caches are synced: the first list must be complete.
        if not await ends_before(stop, caches.synced()):
            _log.info("stopping before it served")
            return
        history = ChangeLog(caches.jobs, settings.watch_history)
        target_history = ChangeLog(caches.targets, settings.watch_history)
        catalogue = CurrentCatalogue(settings.catalogue_dir)
        await catalogue.refresh()
        health = Health(
            session,
            settings.namespace,
            knows_callers=settings.auth != "none",
            serves=settings.serve,
        )
        server = _server(settings, session, shielded)
        services = Services(
            settings, session, caches, history, target_history, catalogue, grpc_health, health
        )
        services.add_to(server)
        port = ports.listen(server, settings.grpc_address, setting="KRKN_GRPC_PORT")
        grpc_health.tell(True)
        await server.start()
        probe.is_ready = True
        tasks.append(background.create_task(keep_current(grpc_health, health)))
        tasks.append(background.create_task(catalogue.keep_current()))
        _log.info(
            "serving",
            host=settings.grpc_host,
            port=port,
            health_port=health_port,
            namespace=settings.namespace,
        )

        try:
            await stop.wait()
        except asyncio.CancelledError:
            # A cache has failed, so calls cannot continue.
            await server.stop(None)
            raise
        _log.info("stopping")
        probe.is_ready = False
        grpc_health.close()
        history.close()
        target_history.close()
        await server.stop(settings.stop_seconds)
        await shielded.finish(settings.stop_seconds)


def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


def _server(settings: Settings, session: Session, shielded: ShieldedTasks) -> grpc.aio.Server:
    """Return a gRPC server without services, which authenticates and authorizes each call."""
    reviews = Reviews(
        session,
        settings.namespace,
        settings.audience,
        auth_cache_seconds=settings.auth_cache_seconds,
    )
    authenticator = (
        NoAuthentication()
        if settings.auth == "none"
        else KubernetesAuthenticator(reviews, settings.recheck_seconds)
    )
    rules = methods_of(settings.serve, reflection=settings.reflection)
    return grpc.aio.server(
        interceptors=[
            *([TracingInterceptor(rules)] if tracing.is_on() else []),
            MetricsInterceptor(rules),
            ErrorInterceptor(),
            AuthInterceptor(authenticator, shielded, rules),
        ],
        options=limits.options(),
        maximum_concurrent_rpcs=limits.MOST_CALLS,
    )
