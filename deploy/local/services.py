"""The product's own processes on this machine: server, controller and Envoy.

Each gets an account of its own with the roles of deploy/rbac, never the administrator's.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from deploy.local.cluster import Cluster
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Child, Program
from deploy.local.readiness import until
from envoy.command import command
from envoy.render import render
from envoy.settings import EnvoySettings

REPOSITORY = Path(__file__).resolve().parents[2]
SERVER, CONTROLLER, ENVOY = "server", "controller", "envoy"
ACCOUNTS = {SERVER: "krkn-grpc-server", CONTROLLER: "krkn-grpc-controller"}
TOKEN_SECONDS = 3600
# What only one's own machine should allow: any image, and targets on loopback.
ON_ONES_OWN_MACHINE = {
    "KRKN_AUTH": "none",
    "KRKN_ALLOWED_IMAGES": "*",
    "KRKN_ALLOWED_TARGET_NETWORKS": "127.0.0.0/8,::1/128",
}
# The server lets calls that are under way end, for 20 s by default.
STOP_SECONDS = 25.0


@dataclass(frozen=True)
class Options:
    """What the processes are told."""

    namespace: str
    grpc_port: int
    rest_port: int
    with_controller: bool = True
    with_envoy: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    """More settings (KRKN_...), for all of them."""
    kubeconfig_url: str = ""
    """Where they reach the API server, if not at its own URL."""


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
        programs = [self._python(SERVER, "krkn_grpc.server")]
        if options.with_controller:
            programs.append(self._python(CONTROLLER, "controller"))
        if options.with_envoy:
            programs.append(self._envoy())
        self._children = {p.name: Child(p, logs / f"{p.name}.log") for p in programs}

    @property
    def grpc_address(self) -> str:
        """Where the server itself listens, `host:port`."""
        return f"{LOOPBACK}:{self.options.grpc_port}"

    @property
    def rest_url(self) -> str:
        """Where Envoy listens, for REST and gRPC."""
        return f"http://{LOOPBACK}:{self.options.rest_port}"

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
        """End all: Envoy first, so that nothing new comes in while the others finish."""
        if ENVOY in self._children:
            await self._children[ENVOY].stop(seconds)
        rest = [child for child in self.children if child.name != ENVOY]
        await asyncio.gather(*(child.stop(seconds) for child in rest))

    async def kill(self, name: str) -> None:
        """End one at once (SIGKILL); it is gone when this returns."""
        self.child(name).kill()
        await self.child(name).wait()

    async def restart(self, name: str) -> None:
        """Start one again, killing it first if it runs; all are ready when this returns."""
        await self.kill(name)
        self._start(self.child(name))
        await self.ready()

    def start_again(self, name: str) -> None:
        """Start one again that has ended, and do not wait."""
        self._start(self.child(name))

    def pause(self, name: str) -> None:
        """Freeze one (SIGSTOP)."""
        self.child(name).pause()

    def resume(self, name: str) -> None:
        """Let a frozen one go on."""
        self.child(name).resume()

    async def refresh_tokens(self, cluster: Cluster | None = None) -> None:
        """Replace the kubeconfigs with ones whose tokens are new; the processes read them again."""
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
            )
        )

    def events(self, name: str) -> list[dict[str, object]]:
        """Return what the process logged since its last start: its JSON lines."""
        return _json_lines(self.child(name).log, self._offsets.get(name, 0))

    def _start(self, child: Child) -> None:
        self._offsets[child.name] = child.log.stat().st_size if child.log.exists() else 0
        child.start()

    async def _all_ready(self, session: aiohttp.ClientSession) -> bool:
        waits_for = {SERVER: "serving", CONTROLLER: "running"}
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

    def _python(self, name: str, module: str) -> Program:
        environment = {
            "KRKN_KUBECONFIG": str(self._kubeconfig(name)),
            "KRKN_NAMESPACE": self.options.namespace,
            "KRKN_GRPC_HOST": LOOPBACK,
            "KRKN_GRPC_PORT": str(self.options.grpc_port),
            "KRKN_HEALTH_PORT": "0",
            # What they leave there when they are killed goes with the folder.
            "TMPDIR": str(self._folder),
            **self.options.environment,
        }
        return Program(name, [sys.executable, "-m", module], environment, REPOSITORY)

    def _envoy(self) -> Program:
        told = {
            "KRKN_REST_HOST": LOOPBACK,
            "KRKN_REST_PORT": str(self.options.rest_port),
            "KRKN_GRPC_HOST": LOOPBACK,
            "KRKN_GRPC_PORT": str(self.options.grpc_port),
            **self.options.environment,
        }
        # As from an environment, which is what Envoy's settings are made for.
        fields = {name.removeprefix("KRKN_").lower(): text for name, text in told.items()}
        configuration = self._folder / "envoy.yaml"
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
