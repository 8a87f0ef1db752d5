"""A real Kubernetes control plane on loopback, for as long as it is needed.

    async with ControlPlane(binaries, logs=..., crds=[...]) as control_plane:
        ... control_plane.admin_kubeconfig, control_plane.cluster, control_plane.child("kwok") ...

As a command, `python -m deploy.local.cluster.control_plane [--only-api-server]` prints the
administrator's kubeconfig and runs until SIGTERM or Ctrl-C.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.cluster import components, credentials, kubeconfig, manifests
from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.certificates import CertificateAuthority
from deploy.local.errors import StartError
from deploy.local.go.build import API_SERVER_ONLY, FULL, Binaries, control_plane_binaries
from deploy.local.processes.children import Child, Program
from deploy.local.processes.ports import LOOPBACK, ReservedPort
from deploy.local.processes.readiness import must_run, until
from deploy.local.processes.signals import interrupted_by_sigterm, stop_requested
from deploy.local.progress import Progress
from deploy.local.run_folder import run_folder

MASTERS = "system:masters"
API_SERVER = "kube-apiserver"


class ControlPlane:
    """An API server with its etcd, the controllers, the scheduler and one fake node.

    `only_api_server` leaves out all but the first two, for a cluster that is only a target;
    `fake_node=False` leaves out only the node, for use with a real one. `workloads` adds the
    controllers of Deployments, Services and disruption budgets.
    An async context manager: ready when entered, removed completely when left.
    `crds` are folders (or files) of manifests that are applied before the controllers start: the
    garbage collector discovers later ones only up to 30 s after they are applied.
    `state` is a folder for what etcd has and its keys, from which another one goes on later.
    """

    def __init__(
        self,
        binaries: Binaries,
        *,
        only_api_server: bool = False,
        fake_node: bool = True,
        workloads: bool = False,
        crds: Iterable[Path] = (),
        audit_log: bool = False,
        logs: Path | None = None,
        state: Path | None = None,
    ) -> None:
        self._binaries = binaries
        self._only_api_server, self._state = only_api_server, state
        self._fake_node, self._workloads = fake_node, workloads
        self._crds = list(crds)
        self._children: dict[str, Child] = {}
        self._stack = contextlib.AsyncExitStack()
        self._folder = self._stack.enter_context(run_folder())
        self._port, self._kubelet_port = ReservedPort(), ReservedPort()
        self._stack.callback(self._port.release)
        self._stack.callback(self._kubelet_port.release)
        self.logs = logs or self._folder / "logs"
        self.audit_log = self.logs / "audit.log" if audit_log else None
        self.port = self._port.number
        self.url = f"https://{LOOPBACK}:{self._port.number}"

    @property
    def admin_kubeconfig(self) -> Path:
        """The kubeconfig of a user with all permissions (system:masters)."""
        return self._folder / "admin.kubeconfig"

    @property
    def cluster(self) -> Cluster:
        """The administrator's calls to this API server."""
        return self._cluster

    @property
    def authority(self) -> CertificateAuthority:
        """The CA that signs this cluster's certificates."""
        return self._authority

    @property
    def ca_pem(self) -> str:
        """The PEM certificate of the CA that signed the API server's certificate."""
        return self._authority.pem

    async def __aenter__(self) -> Self:
        """Start all components and wait until they work."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all components and remove the folder."""
        await self._stack.aclose()

    def component_kubeconfig(self, user: str) -> Path:
        """Write a kubeconfig for a component, with all permissions, and return its path."""
        pair = self._authority.client(user, MASTERS)
        path = self._folder / f"{user.replace(':', '-')}.kubeconfig"
        entry = kubeconfig.certificate_user(pair.certificate, pair.key)
        return kubeconfig.write(path, url=self.url, ca_pem=self.ca_pem, user=entry)

    def child(self, name: str) -> Child:
        """Return the process of a component (`etcd`, ... `kwok`): its pid, its log, and so on."""
        return self._children[name]

    @property
    def children(self) -> list[Child]:
        """All components, in the order of their start."""
        return list(self._children.values())

    async def kill(self, name: str) -> None:
        """End a component at once (SIGKILL); it is gone when this returns."""
        self.child(name).kill()
        await self.child(name).wait()

    async def stop(self, name: str) -> None:
        """Stop a component gracefully (SIGTERM)."""
        await self.child(name).stop()

    def pause(self, name: str) -> None:
        """Freeze a component: it keeps its connections and does not answer."""
        self.child(name).pause()

    def resume(self, name: str) -> None:
        """Resume a paused component."""
        self.child(name).resume()

    async def start(self, name: str) -> None:
        """Restart a component that has ended; the API server is ready when this returns."""
        self._start_unless_running(name)
        if name in API_SERVER_ONLY and self.child(API_SERVER).is_running:
            await until(self._cluster.is_ready, self.child(API_SERVER))
            # A kubelet retries its status reports; kwok drops a report whose connection was
            # closed. A new kwok checks every pod.
            if "kwok" in self._children and self.child("kwok").is_running:
                await self.kill("kwok")
                self._start_unless_running("kwok")

    async def restart(self, name: str) -> None:
        """`kill` and `start`."""
        await self.kill(name)
        await self.start(name)

    def _start_unless_running(self, name: str) -> None:
        # The supervisor may have started it already.
        if not self.child(name).is_running:
            self.child(name).start()

    async def _start(self) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        authority = self._authority = CertificateAuthority(self._folder, self._state)
        files = components.Files(
            self._folder,
            authority.file,
            authority.server("kube-apiserver"),
            authority.client("kube-apiserver-kubelet-client", MASTERS),
            authority.service_account_key(),
        )
        admin = authority.client("krkn-grpc-local-admin", MASTERS)
        user = kubeconfig.certificate_user(admin.certificate, admin.key)
        kubeconfig.write(self.admin_kubeconfig, url=self.url, ca_pem=authority.pem, user=user)

        etcd = self._run(components.etcd(self._binaries, files, self._state or self._folder))
        await until(self._etcd_listens, etcd)
        api_server = self._run(
            components.api_server(
                self._binaries,
                files,
                self._port.number,
                is_target=self._only_api_server,
                audit_log=self.audit_log,
            )
        )
        self._cluster = await self._stack.enter_async_context(
            Cluster(credentials.of_certificate(self.url, authority.pem, admin))
        )
        await until(self._cluster.is_ready, api_server)
        await self._cluster.apply(manifests.load(*self._crds))
        if not self._only_api_server:
            await self._start_controllers(files)

    async def _start_controllers(self, files: components.Files) -> None:
        makers: dict[str, Callable[[Path], Program]] = {
            "kube-controller-manager": lambda path: components.controller_manager(
                self._binaries, files, path, workloads=self._workloads
            ),
            "kube-scheduler": lambda path: components.scheduler(self._binaries, files, path),
        }
        if self._fake_node:
            makers["kwok"] = lambda path: components.kwok(self._binaries, files, path)
        for name, maker in makers.items():
            self._run(maker(self.component_kubeconfig(f"system:{name}")))
        if self._fake_node:
            await self._start_fake_node(files)
        await until(self._accounts_are_made, self.child("kube-controller-manager"))
        must_run(*self.children)

    async def _start_fake_node(self, files: components.Files) -> None:
        serving = self._authority.server(f"{components.NODE_LOGS}-serving")
        client = self._authority.client(f"system:{components.NODE_LOGS}", MASTERS)
        port = self._kubelet_port.number
        self._run(components.node_logs(files, port, self.url, serving, client))
        await self._cluster.apply([components.node_manifest()])
        await self._cluster.merge_status(components.node_status(port))
        await until(lambda: self.node_is_ready(components.NODE), self.child("kwok"))
        await until(self._logs_are_served, self.child(components.NODE_LOGS))

    def _run(self, program: Program) -> Child:
        child = Child(program, self.logs / f"{program.name}.log")
        self._children[program.name] = child
        # Stopped in reverse order: the API server ends while etcd still answers.
        self._stack.push_async_callback(child.stop)
        child.start()
        return child

    async def _etcd_listens(self) -> bool:
        folder = os.open(self._folder, os.O_PATH)  # the path of a socket has 107 bytes at most
        try:
            socket = components.ETCD_CLIENTS.removeprefix("unix://")
            _, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/{socket}")
        except OSError:
            return False
        finally:
            os.close(folder)
        writer.close()
        return True

    async def node_is_ready(self, name: str) -> bool:
        """Return whether the node is Ready and has no taints (a new node has one)."""
        try:
            node = await self._cluster.request("GET", f"/api/v1/nodes/{name}")
        except ClusterError as error:
            if error.status != 404:
                raise
            return False
        conditions = {c["type"]: c["status"] for c in node["status"].get("conditions") or ()}
        return conditions.get("Ready") == "True" and not node["spec"].get("taints")

    async def _logs_are_served(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self._kubelet_port.number)
        except OSError:
            return False
        writer.close()
        return True

    async def _accounts_are_made(self) -> bool:
        path = "/api/v1/namespaces/default/serviceaccounts/default"
        try:
            await self._cluster.request("GET", path)
        except ClusterError as error:
            if error.status != 404:
                raise
            return False
        return True


async def _run_until_signal(binaries: Binaries, *, only_api_server: bool) -> None:
    stop = stop_requested()
    async with ControlPlane(binaries, only_api_server=only_api_server) as control_plane:
        sys.stdout.write(f"{control_plane.admin_kubeconfig}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Run the command; see the module."""
    only_api_server = "--only-api-server" in sys.argv[1:]
    try:
        # Not in the event loop: an interrupt then ends a build at once.
        with interrupted_by_sigterm():
            binaries = control_plane_binaries(
                API_SERVER_ONLY if only_api_server else FULL, Progress()
            )
        asyncio.run(_run_until_signal(binaries, only_api_server=only_api_server))
    except StartError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
