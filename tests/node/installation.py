"""An installation by the README on two nodes, and what a test of it does and sees."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from deploy.image.target import DIST, this_machine
from deploy.local.cluster.api import Cluster, Manifest
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from deploy.local.node.namespaces import SERVICE_ADDRESS
from deploy.local.node.node import Node
from deploy.local.node.place import Place
from deploy.local.relay import Relay
from deploy.oci.archive import read, write
from tests.node import images
from tests.node.readiness import Seconds, is_ready_pod, start_of
from tests.support.callers import Way
from tests.support.jobs import Jobs
from tests.support.kubectl import Kubectl, a_clone
from tests.support.readme import BINDING, CALL, DEFINITIONS, HOST, INSTALLATION, NAMESPACE, UPGRADE
from tests.support.service_address import ServiceAddress, of_service
from tests.support.waiting import eventually

ARCHIVE = DIST / f"{this_machine().file_name}.oci.tar"
REVISION = "org.opencontainers.image.revision"
APP = "krkn-grpc"
REPLICAS = 2
SECONDS = 180.0
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"

_PLACES = (Place(2), Place(3))
_NEXT, _NEXT_ARCHIVE = "next", "next.tar"
# What a user's overlay says (docs/operations.md): which images callers may run, and that these are
# on the nodes already.
_SETTINGS = f"""
configMapGenerator:
  - name: krkn-grpc-settings
    behavior: merge
    literals:
      - KRKN_ALLOWED_IMAGES={images.REPOSITORY}
      - KRKN_IMAGE_PULL_POLICY=IfNotPresent
"""


@dataclass
class Installation:
    """The cluster, its administrator's commands, and the Service as callers reach it."""

    control_plane: ControlPlane
    nodes: list[Node]
    kubectl: Kubectl
    address: ServiceAddress
    ca_pem: bytes
    image_size: int
    """In bytes, unpacked."""
    starts: list[Seconds] = field(default_factory=list)
    """How long the first pods took, see `readiness`."""

    @property
    def cluster(self) -> Cluster:
        """The administrator's calls."""
        return self.control_plane.cluster

    @property
    def jobs(self) -> Jobs:
        """The administrator's look at jobs."""
        return Jobs(self.control_plane, NAMESPACE)

    async def pods(self) -> list[Manifest]:
        """Return our own pods, those that are ending too."""
        selector = f"app.kubernetes.io/name={APP}"
        listed = await self.cluster.request("GET", PODS, labelSelector=selector)
        items: list[Manifest] = listed["items"]
        return items

    async def settled(self) -> list[Manifest]:
        """Return our pods once they are those that the Deployment wants, all of them Ready."""
        return await eventually(
            self.pods,
            lambda pods: len(pods) == REPLICAS and all(map(is_ready_pod, pods)),
            seconds=SECONDS,
            pause=0.5,
        )

    async def way(self) -> Way:
        """Return how the README's pipeline calls, with a token that it gets now."""
        token = await self.kubectl.shell(f'{CALL.splitlines()[0]}\nprintf %s "$TOKEN"')
        return Way(self.address.port, HOST, self.ca_pem, token)

    async def restart(self) -> None:
        """Roll all pods, and wait until Kubernetes says that it is done."""
        await self.kubectl("rollout", "restart", f"deployment/{APP}", "-n", NAMESPACE)
        await self._rolled_out()

    async def upgrade(self) -> None:
        """Install the next version over this one, by the README."""
        overlay = self.kubectl.folder / "deploy" / "overlays" / "default" / "kustomization.yaml"
        text, changed = re.subn("newTag: .*", f"newTag: {_NEXT}", overlay.read_text())
        assert changed == 1
        overlay.write_text(text)
        for block in UPGRADE:
            await self.kubectl.shell(block)
        await self._rolled_out()

    async def drain(self, node: Node) -> None:
        """Evict all pods of a node, as before its maintenance."""
        # Scenario pods have no controller that would make others: kubectl wants to be told so.
        await self.kubectl("drain", node.name, "--delete-emptydir-data", "--force")
        assert not [pod for pod in await self.pods() if pod["spec"]["nodeName"] == node.name]
        await self.kubectl("uncordon", node.name)

    async def _rolled_out(self) -> None:
        await self.kubectl("rollout", "status", f"deployment/{APP}", "-n", NAMESPACE)


@contextlib.asynccontextmanager
async def an_installation(
    binaries: Binaries, logs: Path, folder: Path
) -> AsyncIterator[Installation]:
    """Start a cluster of two nodes with the images, and install by the README's commands."""
    async with contextlib.AsyncExitStack() as stack:
        control_plane = await stack.enter_async_context(
            ControlPlane(binaries, fake_node=False, workloads=True, logs=logs / "control-plane")
        )
        # The address of the Service `kubernetes`.
        await stack.enter_async_context(Relay(control_plane.port, SERVICE_ADDRESS, 443))
        nodes = []
        for place in _PLACES:
            (logs / place.name).mkdir()
            node = Node(binaries, control_plane, logs / place.name, place)
            nodes.append(await stack.enter_async_context(node))
            stack.callback(node.keep_pod_logs, logs / place.name / "pods")
        image_size = await asyncio.to_thread(_write_images, binaries, folder)
        archives = [ARCHIVE, folder / images.ARCHIVE, folder / _NEXT_ARCHIVE]
        await asyncio.gather(*(_load(node, archives) for node in nodes))

        kubectl = Kubectl(control_plane.admin_kubeconfig, a_clone(folder / "clone"))
        ca_pem = _certificate(kubectl.folder)
        overlay = kubectl.folder / "deploy" / "overlays" / "default" / "kustomization.yaml"
        overlay.write_text(overlay.read_text() + _SETTINGS)
        address = await stack.enter_async_context(
            of_service(control_plane.admin_kubeconfig, NAMESPACE, APP)
        )
        made = Installation(control_plane, nodes, kubectl, address, ca_pem, image_size)
        await kubectl.shell(DEFINITIONS)
        _, made.starts = await asyncio.gather(kubectl.shell(INSTALLATION), _starts(made))
        await kubectl.shell(BINDING)
        yield made


async def _starts(installation: Installation) -> list[Seconds]:
    pods = await eventually(installation.pods, lambda pods: len(pods) == REPLICAS, seconds=SECONDS)
    paths = [f"{PODS}/{pod['metadata']['name']}" for pod in pods]
    return await asyncio.gather(*(start_of(installation.cluster, path) for path in paths))


async def _load(node: Node, archives: Sequence[Path]) -> None:
    for archive in archives:
        await node.load(archive)


def _write_images(binaries: Binaries, folder: Path) -> int:
    """Write the scenarios' images, and ours as another revision; return its size."""
    images.build(binaries["kubectl"], folder / images.ARCHIVE)
    stored = read(ARCHIVE)
    name = f"docker.io/library/{APP}:{_NEXT}"
    write(folder / _NEXT_ARCHIVE, [stored.named(name, {REVISION: _NEXT})])
    return sum(map(len, stored.tars))


def _certificate(folder: Path) -> bytes:
    """Write the files that the README's commands name; return the authority's certificate."""
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST)
    authority.cert_pem.write_to_path(folder / "ca.crt")
    certificate.cert_chain_pems[0].write_to_path(folder / "tls.crt")
    certificate.private_key_pem.write_to_path(folder / "tls.key")
    return authority.cert_pem.bytes()
