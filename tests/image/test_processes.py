"""Every process of deploy/base starts from the image, with the command that the manifest has."""

import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio

from deploy.local.cluster import manifests
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.processes.children import Child
from deploy.local.processes.ports import LOOPBACK, free_port
from deploy.local.processes.readiness import until
from deploy.local.services import ACCOUNTS, REPOSITORY
from tests.image.container import ACCOUNT, ADMIN, ENVOY, Root

pytestmark = pytest.mark.timeout(600)  # the first of them builds the image

DEPLOYMENT = REPOSITORY / "deploy" / "base" / "deployment.yaml"
PORTS = (
    *("KRKN_REST_PORT", "KRKN_GRPC_PORT", "KRKN_SERVER_HEALTH_PORT", "KRKN_PROBE_PORT"),
    *("KRKN_SERVER_METRICS_PORT", "KRKN_CONTROLLER_METRICS_PORT", "KRKN_ENVOY_METRICS_PORT"),
)


def containers() -> dict[str, dict[str, Any]]:
    """The containers of the deployment's pod, by name."""
    (deployment,) = manifests.load(DEPLOYMENT)
    pod = deployment["spec"]["template"]["spec"]
    return {each["name"]: each for each in [*pod["initContainers"], *pod["containers"]]}


class Pod:
    """The deployment's pod on this machine's loopback."""

    def __init__(self, root: Root, control_plane: ControlPlane, namespace: str, tmp: Path) -> None:
        self._root, self._control_plane = root, control_plane
        self._namespace, self._tmp = namespace, tmp
        self._containers = containers()
        self.settings = {name: str(free_port()) for name in PORTS}
        self.logs_health_port = str(free_port())
        logs = {
            "KRKN_GRPC_PORT": str(free_port()),
            "KRKN_SERVER_HEALTH_PORT": self.logs_health_port,
            "KRKN_SERVER_METRICS_PORT": str(free_port()),
            "KRKN_SERVE": "logs",
        }
        self._own = {
            "server": {"KRKN_SERVE": "calls"},
            "logs": logs,
            "controller": {"KRKN_HEALTH_PORT": "0"},
            "envoy": {},
            "envoy-configuration": {
                "KRKN_LOGS_GRPC_PORT": logs["KRKN_GRPC_PORT"],
                "KRKN_LOGS_HEALTH_PORT": self.logs_health_port,
                "KRKN_ENVOY_ADMIN_SOCKET": f"{ADMIN}/admin.sock",
            },
        }

    async def child(self, name: str, command: list[str] | None = None) -> Child:
        """Start one container, or another command in it."""
        told = command or self._containers[name]["command"]
        program = self._root.program(name, told, self._environment(name), await self._mounts(name))
        child = Child(program, self._tmp / f"{name}.log")
        child.start()
        return child

    def _environment(self, name: str) -> Mapping[str, str]:
        url = urlsplit(self._control_plane.url)
        return {
            "KUBERNETES_SERVICE_HOST": str(url.hostname),
            "KUBERNETES_SERVICE_PORT": str(url.port),
            "KRKN_NAMESPACE": self._namespace,
            **self.settings,
            **self._own[name],
        }

    async def _mounts(self, name: str) -> dict[str, Path]:
        if name not in ACCOUNTS:
            return {ENVOY: self._folder("envoy"), ADMIN: self._folder("envoy-admin")}
        folder = self._folder(f"{name}-account")
        token = await self._control_plane.cluster.token(
            self._namespace, ACCOUNTS[name], seconds=600
        )
        files = {"token": token, "ca.crt": self._control_plane.ca_pem, "namespace": self._namespace}
        for file, text in files.items():
            (folder / file).write_text(text)
        return {ACCOUNT: folder}

    def _folder(self, name: str) -> Path:
        folder = self._tmp / name
        folder.mkdir(exist_ok=True)
        os.chown(folder, 1001, 1001)
        return folder


@pytest_asyncio.fixture
async def pod(
    root: Root, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> AsyncIterator[Pod]:
    yield Pod(root, control_plane, namespace, tmp_path)


async def test_every_process_works_from_the_image(
    pod: Pod, control_plane: ControlPlane, namespace: str
) -> None:
    rendered = await pod.child("envoy-configuration")
    assert await rendered.wait() == 0, rendered.log_tail()
    async with contextlib.AsyncExitStack() as stack:
        children = {}
        for name in ("server", "logs", "controller", "envoy"):
            children[name] = await pod.child(name)
            stack.push_async_callback(children[name].stop)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        url = f"http://{LOOPBACK}:{pod.settings['KRKN_REST_PORT']}"

        async def is_healthy() -> bool:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{url}/api/v1/health") as reply:
                    return reply.status == 200
            return False

        async def leads() -> bool:
            path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
            leases = (await control_plane.cluster.request("GET", path))["items"]
            return any(lease["spec"].get("holderIdentity") for lease in leases)

        async def logs_are_served() -> bool:
            return '"serving"' in children["logs"].log.read_text()

        for condition in (is_healthy, leads, logs_are_served):
            await until(condition, *children.values())

        # Who calls is asked of the API server: both directions of the log-in work.
        async with session.get(f"{url}/api/v1/scenarios/run") as reply:
            assert reply.status == 401
        async with session.get(f"{url}/") as reply:
            assert (reply.status, reply.content_type) == (200, "text/html")

        # The probes of the manifest that Envoy answers for others.
        for path in ("/livez", "/readyz", "/livez/server", "/livez/logs"):
            probe = f"http://{LOOPBACK}:{pod.settings['KRKN_PROBE_PORT']}{path}"

            async def answers(probe: str = probe) -> bool:
                async with session.get(probe) as reply:
                    return reply.status == 200

            await until(answers, *children.values())

        # The hook that the kubelet runs in Envoy's container before it ends, without its waits.
        hook = containers()["envoy"]["lifecycle"]["preStop"]["exec"]["command"]
        drained = await pod.child("envoy", [*hook, "0", "5"])
        assert await drained.wait() == 0, drained.log_tail()
        probe = f"http://{LOOPBACK}:{pod.settings['KRKN_PROBE_PORT']}/readyz"
        async with session.get(probe) as reply:
            assert reply.status == 503

        for child in children.values():
            await child.stop()
        # Envoy ends at once by the signal; the others have an end of their own.
        codes = {name: child.exit_code for name, child in children.items()}
        assert codes == {"server": 0, "logs": 0, "controller": 0, "envoy": 0}, codes
