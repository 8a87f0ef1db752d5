"""The product's own processes on this machine: server, controller and Envoy.

Each uses its own account with the roles of deploy/rbac, never the administrator's.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import aiohttp

from deploy.local.cluster.api import Cluster
from deploy.local.processes.children import Child, Program
from deploy.local.processes.ports import LOOPBACK, free_port
from deploy.local.processes.readiness import until
from krkn_grpc.edge.command import command
from krkn_grpc.edge.render import render
from krkn_grpc.edge.settings import EnvoySettings

REPOSITORY = Path(__file__).resolve().parents[2]
ROLES = (REPOSITORY / "deploy" / "rbac", REPOSITORY / "deploy" / "local" / "roles")
"""The roles of the processes' accounts, for one server that serves everything."""

ADOPTION_ROLES = REPOSITORY / "deploy" / "components" / "adoption" / "roles.yaml"
"""What the controller's account needs besides to adopt clusters of other providers."""

SERVER, LOGS, CONTROLLER, ENVOY = "server", "logs", "controller", "envoy"
ACCOUNTS = {
    SERVER: "krkn-grpc-server",
    LOGS: "krkn-grpc-logs",
    CONTROLLER: "krkn-grpc-controller",
}
TOKEN_SECONDS = 3600
# Settings for a developer's own machine only: any image, and targets on loopback.
ON_ONES_OWN_MACHINE = {
    "KRKN_AUTH": "none",
    "KRKN_ALLOWED_IMAGES": "*",
    "KRKN_ALLOWED_MOUNT_PATHS": "/",  # any image is allowed, so mounts add no risk
    "KRKN_ALLOWED_TARGET_NETWORKS": "127.0.0.0/8,::1/128",
    "KRKN_REFLECTION": "true",
}
# The server lets calls in progress finish, for 20 s by default.
STOP_SECONDS = 25.0


def metrics_ports(chosen: Mapping[str, int] = MappingProxyType({})) -> dict[str, int]:
    """Return a port for the metrics of each process: the chosen one, or one that is free."""
    return {
        name: free_port() if (port := chosen.get(name)) is None else port
        for name in (SERVER, LOGS, CONTROLLER, ENVOY)
    }


@dataclass(frozen=True)
class Options:
    """The options of the processes."""

    namespace: str
    grpc_port: int
    rest_port: int
    with_controller: bool = True
    with_envoy: bool = True
    with_log_reader: bool = False
    """Whether a separate process reads logs, as in a pod of deploy/base."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """More settings (KRKN_...), for all of them."""
    kubeconfig_url: str = ""
    """The API server's URL for the processes, if not its own URL."""
    health_port: int = field(default_factory=free_port)
    """The port of the server's health endpoint."""
    logs_port: int = field(default_factory=free_port)
    """The port of the log reader, if it is a separate process."""
    metrics_ports: Mapping[str, int] = field(default_factory=metrics_ports)
    """The port of each process's metrics; 0: none."""
    page: Path | None = None
    """The folder with the built page."""
    page_key_file: Path | None = None
    """Holds the page's key, where there is no authentication."""


class Services:
    """Server, controller and Envoy for one namespace, as child processes.

    The namespace has deploy/rbac already. `folder` holds their kubeconfigs and Envoy's
    configuration, `logs` a file for each process.
    """

    def __init__(self, cluster: Cluster, options: Options, folder: Path, logs: Path) -> None:
        self._cluster = cluster
        self.options = options
        self._folder = folder
        self.logs = logs
        self._offsets: dict[str, int] = {}
        serve = "calls" if options.with_log_reader else "all"
        programs = [self._python(SERVER, "krkn_grpc.server", KRKN_SERVE=serve)]
        if options.with_log_reader:
            port = str(options.logs_port)
            told = {
                "KRKN_SERVE": "logs",
                "KRKN_GRPC_PORT": port,
                "KRKN_SERVER_HEALTH_PORT": "0",
                "KRKN_SERVER_METRICS_PORT": str(options.metrics_ports[LOGS]),
            }
            programs.append(self._python(LOGS, "krkn_grpc.server", **told))
        if options.with_controller:
            programs.append(self._python(CONTROLLER, "controller"))
        if options.with_envoy:
            programs.append(self._envoy())
        self._children = {p.name: Child(p, logs / f"{p.name}.log") for p in programs}

    @property
    def grpc_address(self) -> str:
        """The address of the server itself, `host:port`."""
        return f"{LOOPBACK}:{self.options.grpc_port}"

    @property
    def health_address(self) -> str:
        """The address of the server's health endpoint, `host:port`."""
        return f"{LOOPBACK}:{self.options.health_port}"

    @property
    def rest_url(self) -> str:
        """The URL of Envoy, for REST and gRPC."""
        return f"http://{LOOPBACK}:{self.options.rest_port}"

    def metrics_url(self, name: str) -> str:
        """The URL that has the metrics of `server`, `logs`, `controller` or `envoy`."""
        path = "/stats/prometheus" if name == ENVOY else "/metrics"
        return f"http://{LOOPBACK}:{self.options.metrics_ports[name]}{path}"

    @property
    def metrics_urls(self) -> dict[str, str]:
        """The URL of the metrics of each process that shows them, by its name."""
        ports = self.options.metrics_ports
        return {
            child.name: self.metrics_url(child.name) for child in self.children if ports[child.name]
        }

    @property
    def children(self) -> list[Child]:
        """The processes, in the order of their start."""
        return list(self._children.values())

    def child(self, name: str) -> Child:
        """Return the process `server`, `controller` or `envoy`: its pid, its log, and so on."""
        return self._children[name]

    async def start(self) -> None:
        """Write the kubeconfigs, start all processes, and wait until each one serves."""
        await self.refresh_tokens()
        for child in self.children:
            self._start(child)
        await self.ready()

    async def ready(self) -> None:
        """Wait until the server serves, the controller's caches are synced and REST answers."""
        async with aiohttp.ClientSession() as session:
            await until(lambda: self._all_ready(session), *self.children)

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Stop all: Envoy first, so that no new calls arrive while the others finish."""
        if ENVOY in self._children:
            await self._children[ENVOY].stop(seconds)
        rest = [child for child in self.children if child.name != ENVOY]
        await asyncio.gather(*(child.stop(seconds) for child in rest))

    async def kill(self, name: str) -> None:
        """End one at once (SIGKILL); it is gone when this returns."""
        self.child(name).kill()
        await self.child(name).wait()

    async def restart(self, name: str) -> None:
        """Restart one, killing it first if it runs; all are ready when this returns."""
        await self.kill(name)
        self._start(self.child(name))
        await self.ready()

    def start_again(self, name: str) -> None:
        """Restart one that has ended, without waiting."""
        self._start(self.child(name))

    def pause(self, name: str) -> None:
        """Freeze one (SIGSTOP)."""
        self.child(name).pause()

    def resume(self, name: str) -> None:
        """Resume a frozen one (SIGCONT)."""
        self.child(name).resume()

    async def refresh_tokens(self, cluster: Cluster | None = None) -> None:
        """Replace the kubeconfigs by ones with new tokens; the processes read them again."""
        await asyncio.gather(
            *(
                (cluster or self._cluster).write_account_kubeconfig(
                    self._kubeconfig(name),
                    self.options.namespace,
                    account,
                    seconds=TOKEN_SECONDS,
                    url=self.options.kubeconfig_url,
                )
                for name, account in ACCOUNTS.items()
                if name in self._children
            )
        )

    def events(self, name: str) -> list[dict[str, object]]:
        """Return the JSON log lines of the process since its last start."""
        return _json_lines(self.child(name).log, self._offsets.get(name, 0))

    def _start(self, child: Child) -> None:
        self._offsets[child.name] = child.log.stat().st_size if child.log.exists() else 0
        child.start()

    async def _all_ready(self, session: aiohttp.ClientSession) -> bool:
        waits_for = {SERVER: "serving", LOGS: "serving", CONTROLLER: "running"}
        for name, event in waits_for.items():
            if name in self._children and not self._has_logged(name, event):
                return False
        return ENVOY not in self._children or await _answers(
            session, f"{self.rest_url}/api/v1/health"
        )

    def _has_logged(self, name: str, event: str) -> bool:
        return any(line.get("event") == event for line in self.events(name))

    def _kubeconfig(self, name: str) -> Path:
        return self._folder / f"{name}.kubeconfig"

    def _python(self, name: str, module: str, **told: str) -> Program:
        environment = {
            "KRKN_KUBECONFIG": str(self._kubeconfig(name)),
            "KRKN_NAMESPACE": self.options.namespace,
            "KRKN_GRPC_HOST": LOOPBACK,
            "KRKN_GRPC_PORT": str(self.options.grpc_port),
            "KRKN_HEALTH_PORT": "0",
            "KRKN_SERVER_HEALTH_PORT": str(self.options.health_port),
            "KRKN_SERVER_METRICS_PORT": str(self.options.metrics_ports[SERVER]),
            "KRKN_CONTROLLER_METRICS_PORT": str(self.options.metrics_ports[CONTROLLER]),
            # Leftovers of killed processes are removed with the folder.
            "TMPDIR": str(self._folder),
            **told,
            **self.options.environment,
        }
        return Program(name, [sys.executable, "-m", module], environment, REPOSITORY)

    def _envoy(self) -> Program:
        logs_port, key_file = str(self.options.logs_port), self.options.page_key_file
        told = {
            "KRKN_REST_HOST": LOOPBACK,
            "KRKN_REST_PORT": str(self.options.rest_port),
            "KRKN_GRPC_HOST": LOOPBACK,
            "KRKN_GRPC_PORT": str(self.options.grpc_port),
            "KRKN_SERVER_HEALTH_PORT": str(self.options.health_port),
            "KRKN_ENVOY_ADMIN_SOCKET": str(self._folder / "admin.sock"),
            "KRKN_ENVOY_METRICS_PORT": str(self.options.metrics_ports[ENVOY]),
            **({"KRKN_LOGS_GRPC_PORT": logs_port} if self.options.with_log_reader else {}),
            **({"KRKN_PAGE_DIRECTORY": str(self.options.page)} if self.options.page else {}),
            **({"KRKN_PAGE_KEY_FILE": str(key_file)} if key_file else {}),
            **self.options.environment,
        }
        # In the form of environment variables, which Envoy's settings expect.
        fields = {name.removeprefix("KRKN_").lower(): text for name, text in told.items()}
        configuration = self._folder / "envoy.yaml"
        configuration.touch(mode=0o600)  # the page's key is in it
        configuration.write_text(render(EnvoySettings.model_validate(fields)))
        return Program(ENVOY, command(configuration))


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _json_lines(log: Path, offset: int) -> list[dict[str, object]]:
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(offset)
        lines = file.read().splitlines()
    decoded: list[dict[str, object]] = []
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:  # a traceback, or a line that is still being written
            continue
        if isinstance(value, dict):
            decoded.append(value)
    return decoded
