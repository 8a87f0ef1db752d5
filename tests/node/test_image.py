"""The image that `make image` built runs on a node, as deploy/base asks for it."""

import json

import pytest

from deploy.image.target import DIST, USER, this_machine
from tests.node.stage import Stage
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)

IMPORTS = "import krkn_grpc.server.app, controller.app; print('imported')"
ENVOY = """
import os
from krkn_grpc.edge.command import command
line = command("/etc/envoy/envoy.yaml")
os.execv(line[0], [*line, "--mode", "validate"])
"""
SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


async def test_its_processes_start_in_a_restricted_pod(stage: Stage) -> None:
    await stage.node.load(DIST / f"{this_machine().file_name}.oci.tar")

    def container(name: str, *command: str) -> dict[str, object]:
        return {
            "name": name,
            "image": "krkn-grpc:latest",
            "imagePullPolicy": "Never",
            "command": ["python", *command],
            "securityContext": SECURITY,
            "volumeMounts": [{"name": "envoy", "mountPath": "/etc/envoy"}],
        }

    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        # No uid: that it runs as another user than root says the image.
        "securityContext": {
            "runAsNonRoot": True,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "initContainers": [
            container("render", "-m", "krkn_grpc.edge.render", "/etc/envoy"),
            container("import", "-c", IMPORTS),
        ],
        "containers": [container("envoy", "-c", ENVOY)],
        "volumes": [{"name": "envoy", "emptyDir": {"medium": "Memory"}}],
    }
    cluster, pods = stage.product.cluster, f"/api/v1/namespaces/{stage.product.namespace}/pods"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "from-the-image"}, "spec": spec}
    await cluster.request("POST", pods, pod)

    async def status() -> dict[str, object]:
        found: dict[str, object] = (await cluster.request("GET", f"{pods}/from-the-image"))[
            "status"
        ]
        return found

    ended = await eventually(
        status, lambda seen: seen["phase"] in ("Succeeded", "Failed"), seconds=120
    )
    assert ended["phase"] == "Succeeded", json.dumps(ended)
    await cluster.request("DELETE", f"{pods}/from-the-image")
