"""A node's containerd: its configuration, its pod network, its images."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StartError
from deploy.local.node.packages import PLUGINS
from deploy.local.node.place import Place
from deploy.local.processes.children import Program

PAUSE = "docker.io/krkn-grpc/pause:1"
IMAGES = "k8s.io"

# restrict_oom_score_adj: inside a container, the permission to lower it may be missing.
# disable_apparmor: the profile would stay in the kernel after the end.
CONFIGURATION = """\
version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-state"

[grpc]
  address = "{folder}/containerd.sock"

[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{plugins}"
  conf_dir = "{folder}/cni"
"""


@dataclass(frozen=True)
class Containerd:
    """One containerd, with all its files in the folder of the node."""

    place: Place

    @property
    def folder(self) -> Path:
        """The node's folder."""
        return self.place.folder

    @property
    def socket(self) -> Path:
        """The socket that it listens on."""
        return self.folder / "containerd.sock"

    def program(self) -> Program:
        """Write the configuration and describe the process."""
        configuration = self.folder / "containerd.toml"
        configuration.write_text(
            CONFIGURATION.format(folder=self.folder, pause=PAUSE, plugins=PLUGINS)
        )
        networks = self.folder / "cni"
        networks.mkdir(exist_ok=True)
        (networks / "10-pods.conflist").write_text(json.dumps(_network(self.place)))
        return Program("containerd", ["containerd", "--config", str(configuration)])

    async def answers(self) -> bool:
        """Return whether containerd answers."""
        code, _ = await self._ctr("version")
        return code == 0

    async def load(self, archive: Path) -> None:
        """Import the images of an OCI archive under their names there; raises StartError."""
        code, said = await self._ctr("images", "import", str(archive))
        if code:
            raise StartError(f"{archive.name} cannot be imported: {said}")

    async def remove(self, image: str) -> None:
        """Remove an image, as a node does when its disk is full; raises StartError."""
        code, said = await self._ctr("images", "remove", "--sync", image)
        if code:
            raise StartError(f"{image} cannot be removed: {said}")

    async def containers(self) -> list[str]:
        """Return the ids of all containers; raises StartError."""
        code, said = await self._ctr("containers", "list", "--quiet")
        if code:
            raise StartError(f"containers cannot be listed: {said}")
        return said.split()

    async def _ctr(self, *arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            "ctr",
            *("--address", str(self.socket), "--namespace", IMAGES, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode(errors="replace").strip()


def _network(place: Place) -> dict[str, object]:
    """Return the CNI network: each pod gets an address on a bridge and reaches the node by it."""
    addresses = {
        "type": "host-local",
        "dataDir": str(place.folder / "addresses"),
        "ranges": [[{"subnet": place.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": place.bridge, "isGateway": True, "ipam": addresses}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}
