"""Runs the whole product on one machine (`make run`), from the checks to the clean stop."""

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp

from deploy.local import tokens
from deploy.local.cluster import credentials, manifests
from deploy.local.cluster.api import Cluster, ClusterError, Manifest
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.demo_targets import write_demo_targets
from deploy.local.errors import StartError
from deploy.local.go.build import FULL, Binaries, control_plane_binaries
from deploy.local.local_folder import LOGS, STATE, local_folder
from deploy.local.page import page
from deploy.local.page_key import new_page_key
from deploy.local.processes.children import Child
from deploy.local.processes.ports import must_be_free
from deploy.local.processes.signals import interrupted_by_sigterm, stop_requested
from deploy.local.processes.supervisor import keep_alive
from deploy.local.progress import Progress
from deploy.local.prometheus.configuration import configuration
from deploy.local.prometheus.programs import prometheus_programs
from deploy.local.prometheus.server import Prometheus
from deploy.local.run_folder import run_folder
from deploy.local.services import (
    ADOPTION_ROLES,
    ON_ONES_OWN_MACHINE,
    REPOSITORY,
    ROLES,
    Options,
    Services,
    metrics_ports,
)
from deploy.local.settings import Settings
from deploy.local.space import CONTROL_PLANE_BYTES, FILES_BYTES, must_have_room
from deploy.local.welcome import welcome
from krkn_grpc.edge.command import binary
from krkn_grpc.startup import settings_or_exit

ALERTS = REPOSITORY / "deploy" / "alerts" / "rules.yaml"
CRDS, ADMISSION = (REPOSITORY / "deploy" / part for part in ("crds", "admission"))


@dataclass(frozen=True)
class Built:
    """What is built before anything starts."""

    binaries: Binaries
    page: Path | None


def main() -> None:
    """Check, build what is missing, start, print the addresses, and run until a signal."""
    settings, progress = settings_or_exit(Settings, "krkn-grpc cannot start"), Progress()
    must_be_free(settings.rest_port, "KRKN_REST_PORT")
    must_be_free(settings.grpc_port, "KRKN_GRPC_PORT")
    for process, port in settings.metrics_ports.items():
        if port:
            must_be_free(port, f"KRKN_{process.upper()}_METRICS_PORT")
    if settings.observe and settings.prometheus_port is not None:
        must_be_free(settings.prometheus_port, "KRKN_PROMETHEUS_PORT")
    _find_envoy()
    _must_have_room(settings)
    with local_folder(keep=settings.keep) as local:
        binaries: Binaries = {}
        # Not in the event loop: an interrupt then ends a build at once.
        with interrupted_by_sigterm():
            if settings.kubeconfig is None:
                binaries = control_plane_binaries(FULL, progress)
            if settings.observe:
                binaries = {**binaries, **prometheus_programs(progress)}
            built = built_page(progress) if settings.page else None
        asyncio.run(_run_until_stopped(settings, Built(binaries, built), local, progress))


async def _run_until_stopped(
    settings: Settings, built: Built, local: Path, progress: Progress
) -> None:
    stop_signal = stop_requested()
    stop = asyncio.create_task(stop_signal.wait())
    run = asyncio.create_task(_run(settings, built, local, progress))
    await asyncio.wait({stop, run}, return_when=asyncio.FIRST_COMPLETED)
    if stop_signal.is_set():
        progress.note("stopping (once more to hurry)")
    stop.cancel()
    run.cancel()
    try:
        await run
    except asyncio.CancelledError:
        progress.note("stopped")
    except (ClusterError, aiohttp.ClientError, OSError) as error:
        raise StartError(str(error)) from error


async def _run(settings: Settings, built: Built, local: Path, progress: Progress) -> None:
    started = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        private = stack.enter_context(run_folder())
        logs = local / LOGS
        logs.mkdir(exist_ok=settings.keep)
        control_plane = None
        if settings.kubeconfig is None:
            progress.note("starting the local control plane")
            control_plane = await stack.enter_async_context(
                ControlPlane(
                    built.binaries,
                    crds=[CRDS, ADMISSION],
                    logs=logs,
                    state=local / STATE if settings.keep else None,
                )
            )
            cluster = control_plane.cluster
            shutil.copy(control_plane.admin_kubeconfig, local / "admin.kubeconfig")
            state = local / STATE if settings.keep else None
            await write_demo_targets(cluster, control_plane.port, local, stack, state)
        else:
            given = await credentials.of_kubeconfig(settings.kubeconfig, private)
            cluster = await stack.enter_async_context(Cluster(given))
            progress.note(f"using the cluster at {cluster.url}")
            if not await cluster.is_ready():
                raise StartError(f"the cluster of KRKN_KUBECONFIG is not ready: {cluster.url}")
            await cluster.apply(manifests.load(CRDS, ADMISSION))
        await cluster.apply(_own_namespace(settings))

        progress.note("starting the server, the controller and Envoy")
        options = _options(
            settings, built.page, new_page_key(local) if settings.auth == "none" else None
        )
        services = Services(cluster, options, private, logs)
        stack.push_async_callback(services.stop)
        await services.start()
        prometheus = None
        if settings.observe:
            progress.note("starting Prometheus")
            prometheus = _prometheus(settings, services, built.binaries, private, logs)
            stack.push_async_callback(prometheus.stop)
            await prometheus.start()
        seconds = time.monotonic() - started
        url = prometheus.url if prometheus else ""
        progress.note(welcome(settings, services, local, seconds, url))

        async with asyncio.TaskGroup() as keepers:
            renewal = _renewal(services, settings, private)
            keepers.create_task(tokens.keep_fresh(renewal, progress.note))
            for child in (*services.children, *([prometheus.child] if prometheus else ())):
                keepers.create_task(keep_alive(child, _starts(child), progress.note))
            if control_plane is not None:
                for child in control_plane.children:
                    restart = _starts_component(control_plane, child.name)
                    keepers.create_task(keep_alive(child, restart, progress.note))


def _must_have_room(settings: Settings) -> None:
    state = CONTROL_PLANE_BYTES if settings.kubeconfig is None else 0
    here, temporary = (state, 0) if settings.keep else (0, state)
    must_have_room(Path.cwd(), here + FILES_BYTES, "make room")
    remedy = "make room, or set TMPDIR to another folder"
    must_have_room(Path(tempfile.gettempdir()), temporary + FILES_BYTES, remedy)


def _find_envoy() -> None:
    try:
        binary()
    except FileNotFoundError as error:
        raise StartError(str(error)) from None


def _own_namespace(settings: Settings) -> list[Manifest]:
    name = settings.namespace
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    roles = (*ROLES, ADOPTION_ROLES) if settings.adopt_providers else ROLES
    return [namespace, *manifests.in_namespace(manifests.load(*roles), name)]


def built_page(progress: Progress) -> Path | None:
    """Build the page; None, with a line that says why, where it cannot be built."""
    try:
        return page(progress)
    except (StartError, OSError) as error:
        why = " ".join(str(error).split("\n")[:2])
        progress.note(f"it starts without the page: {why}")
        return None


def _options(settings: Settings, built: Path | None, key_file: Path | None) -> Options:
    # The environment overrides these defaults; child processes inherit the rest of it anyway.
    defaults = {name: os.environ.get(name, text) for name, text in ON_ONES_OWN_MACHINE.items()}
    return Options(
        namespace=settings.namespace,
        grpc_port=settings.grpc_port,
        rest_port=settings.rest_port,
        metrics_ports=metrics_ports(settings.metrics_ports),
        environment={**defaults, "KRKN_AUTH": settings.auth},
        page=built,
        page_key_file=key_file,
    )


def _prometheus(
    settings: Settings, services: Services, programs: Binaries, folder: Path, logs: Path
) -> Prometheus:
    configured = configuration(
        services.metrics_urls,
        namespace=settings.namespace,
        rules=[ALERTS] if ALERTS.exists() else [],
    )
    return Prometheus(
        programs, configured, folder, logs / "prometheus.log", port=settings.prometheus_port
    )


def _renewal(
    services: Services, settings: Settings, private: Path
) -> Callable[[], Awaitable[None]]:
    if settings.kubeconfig is None:
        return services.refresh_tokens
    return partial(tokens.renew_as_administrator, services, settings.kubeconfig, private)


def _starts(child: Child) -> Callable[[], Awaitable[None]]:
    async def start() -> None:
        child.start()

    return start


def _starts_component(control_plane: ControlPlane, name: str) -> Callable[[], Awaitable[None]]:
    return lambda: control_plane.start(name)
