"""Ends the processes of an instance as the kubelet ends the containers of its pod.

All preStop hooks run at once. A container gets SIGTERM after its own hook; a sidecar (an init
container with restartPolicy Always) after its hook and after the containers and all sidecars that
started later have ended.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.local.cluster import manifests
from deploy.local.services import REPOSITORY, Services

_BASE = REPOSITORY / "deploy" / "base" / "deployment.yaml"


def pod_spec() -> dict[str, Any]:
    """The pod of deploy/base."""
    [deployment] = manifests.load(_BASE)
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


async def terminate(services: Services, admin: Path, hook_seconds: Sequence[float]) -> None:
    """End all processes; Envoy's hook takes these times, so that a test need not last."""
    spec = pod_spec()
    seconds = spec["terminationGracePeriodSeconds"]
    async with asyncio.timeout(seconds):
        await asyncio.gather(
            *(_end(services, each, admin, hook_seconds) for each in spec["containers"])
        )
        for sidecar in reversed(spec["initContainers"]):
            if sidecar.get("restartPolicy") == "Always":
                await _end(services, sidecar, admin, hook_seconds)


async def _end(
    services: Services, container: dict[str, Any], admin: Path, hook_seconds: Sequence[float]
) -> None:
    if "lifecycle" in container:
        line = container["lifecycle"]["preStop"]["exec"]["command"]
        # The socket is elsewhere here.
        python, *module, _ = line
        assert python == "python"
        hook = await asyncio.create_subprocess_exec(
            sys.executable, *module, str(admin), *map(str, hook_seconds), cwd=REPOSITORY
        )
        assert await hook.wait() == 0
    child = services.child(container["name"])
    await child.stop(60.0)
    assert child.exit_code == 0, f"{child.name} had to be killed: {child.exit_code}"
