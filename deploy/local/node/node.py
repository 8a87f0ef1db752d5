"""A node of a local control plane, for as long as it is needed; only inside `alone`.

async with Node(binaries, control_plane, logs) as node:
    await node.load(archive) ... await node.kill_kubelet() ... await node.start_kubelet()

Several nodes may be there at once, of one control plane or of several: each has its own `Place`.
"""

import contextlib
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.errors import StartError
from deploy.local.go.build import Binaries
from deploy.local.node import cgroups
from deploy.local.node.alone import CGROUP
from deploy.local.node.containerd import PAUSE, Containerd
from deploy.local.node.kubelet import kubelet
from deploy.local.node.packages import BUSYBOX
from deploy.local.node.place import Place
from deploy.local.processes.children import Child, Program
from deploy.local.processes.ports import free_port
from deploy.local.processes.readiness import must_run, until
from deploy.oci.archive import Image, write
from deploy.oci.layers import of_programs

FIRST = Place(1)


class Node:
    """containerd and kubelet. An async context manager: ready when entered."""

    def __init__(
        self, binaries: Binaries, control_plane: ControlPlane, logs: Path, place: Place = FIRST
    ) -> None:
        if CGROUP not in os.environ:
            raise StartError("a node is started by `python -m deploy.local.node.alone` only")
        self._binaries = binaries
        self._control_plane = control_plane
        self._stack = contextlib.AsyncExitStack()
        self._place = place
        self.name = place.name
        self.folder = place.folder
        self.folder.mkdir()
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._cgroup = f"{os.environ[CGROUP]}/{place.cgroup}"
        cgroups.make(self._cgroup)
        self.containerd = Containerd(place)
        self._containerd = Child(self.containerd.program(), logs / "containerd.log")
        self._kubelet = Child(self._kubelet_program(), logs / "kubelet.log")

    async def __aenter__(self) -> Self:
        """Start both, and wait until the node is ready for pods."""
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
        """Stop both. Containers that still run end with `alone`."""
        await self._stack.aclose()

    async def load(self, archive: Path) -> None:
        """Import the images of an OCI archive."""
        await self.containerd.load(archive)

    def keep_pod_logs(self, folder: Path) -> None:
        """Copy the logs of the pods that are there now; the node's own go with it."""
        shutil.copytree(self.folder / "pod-logs", folder, dirs_exist_ok=True)

    async def kill_kubelet(self) -> None:
        """End kubelet at once (SIGKILL); containers keep running."""
        self._kubelet.kill()
        await self._kubelet.wait()

    async def start_kubelet(self) -> None:
        """Start kubelet (again), and wait until the node is ready."""
        self._kubelet.start()
        await until(self._is_ready, self._kubelet, self._containerd)

    async def _start(self) -> None:
        self._stack.push_async_callback(self._containerd.stop)
        self._containerd.start()
        await until(self.containerd.answers, self._containerd)
        await self.load(_pause(self.folder))
        self._stack.push_async_callback(self._kubelet.stop)
        await self.start_kubelet()
        must_run(self._kubelet, self._containerd)

    async def _is_ready(self) -> bool:
        return await self._control_plane.node_is_ready(self.name)

    def _kubelet_program(self) -> Program:
        authority = self._control_plane.authority
        return kubelet(
            self._binaries,
            self._place,
            port=free_port(),
            kubeconfig=self._control_plane.component_kubeconfig(f"system:node:{self.name}"),
            ca=authority.file,
            serving=authority.server(f"kubelet-serving-{self.name}", self.name),
            containerd=self.containerd.socket,
            cgroup=self._cgroup,
        )


def _pause(folder: Path) -> Path:
    """Write the image of the container that holds a pod's namespaces."""
    archive = folder / "pause.tar"
    layer = of_programs({"/bin/busybox": BUSYBOX.read_bytes()})
    write(archive, [Image(PAUSE, (layer,), ("/bin/busybox", "sleep", "2147483647"))])
    return archive
