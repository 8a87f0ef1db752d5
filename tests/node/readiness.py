"""How long our pods take to get ready, and how much memory their containers then have."""

import contextlib
import os
import time
from pathlib import Path

import aiohttp

from deploy.local.cluster.api import Cluster, Manifest
from deploy.local.node import cgroups
from tests.support.waiting import eventually

# What each container answers once it does its work: port and path.
_ANSWERS = {
    "controller": (8085, "/healthz"),
    "server": (8084, "/livez/server"),
    "logs": (8084, "/livez/logs"),
    "envoy": (8084, "/readyz"),
}
_POD = "pod"
_READY = "pod, Ready"
_MIB = 2**20
_PAUSE = 0.1
_SECONDS = 180.0

Seconds = dict[str, float]


async def start_of(cluster: Cluster, path: str) -> Seconds:
    """Follow a pod that was just made until it is Ready.

    Returns seconds: of each container from the start of its process until it answers, and of the
    pod from now until it serves and until Kubernetes calls it Ready.
    """
    made, answered, ready = _now(), Seconds(), 0.0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:

        async def state() -> Manifest:
            pod = await cluster.request("GET", path)
            for name, (port, asked) in _ANSWERS.items():
                address = pod["status"].get("podIP")
                if address and name not in answered:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        async with session.get(f"http://{address}:{port}{asked}") as answer:
                            if answer.status == 200:
                                answered[name] = _now()
            return {key: pod[key] for key in ("metadata", "status")}

        pod = await eventually(
            state,
            lambda pod: is_ready_pod(pod) and len(answered) == len(_ANSWERS),
            seconds=_SECONDS,
            pause=_PAUSE,
        )
        ready = _now()
    started = {name: _started(container) for name, container in _containers(pod).items()}
    return {
        **{name: round(answered[name] - started[name], 2) for name in _ANSWERS},
        _POD: round(max(answered.values()) - made, 2),
        _READY: round(ready - made, 2),
    }


def is_ready_pod(pod: Manifest) -> bool:
    """Whether Kubernetes calls the pod Ready."""
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", ())}
    return conditions.get("Ready") == "True" and "deletionTimestamp" not in pod["metadata"]


def memory_of(pod: Manifest) -> dict[str, float]:
    """Return the working set of each container in MiB, as `kubectl top` would tell it."""
    return {
        name: round(_working_set(container) / _MIB, 1)
        for name, container in _containers(pod).items()
    }


def _working_set(container: str) -> int:
    """Return the memory in use without what the kernel can drop at once, as the kubelet counts."""
    [cgroup, *_] = {_memory_cgroup(process) for process in _processes(container)}
    used, gone = "memory.current", "inactive_file "
    if not cgroups.is_v2():
        used, gone = "memory.usage_in_bytes", "total_inactive_file "
    [droppable] = [
        int(line.removeprefix(gone))
        for line in (cgroup / "memory.stat").read_text().splitlines()
        if line.startswith(gone)
    ]
    return int((cgroup / used).read_text()) - droppable


def _memory_cgroup(process: Path) -> Path:
    for line in (process / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return cgroups.ROOT / "memory" / path.lstrip("/")
        if not controllers and cgroups.is_v2():
            return cgroups.ROOT / path.lstrip("/")
    raise AssertionError(f"{process} has no cgroup for its memory")


def _containers(pod: Manifest) -> dict[str, str]:
    """Return the ids of the containers that run, by their names."""
    status = pod["status"]
    return {
        each["name"]: each["containerID"].rpartition("/")[2]
        for each in (*status["initContainerStatuses"], *status["containerStatuses"])
        if "running" in each["state"]
    }


def _started(container: str) -> float:
    """Return when the first process of a container started, in seconds of this machine's uptime."""
    # The name, in parentheses, may have anything in it; the start is the 22nd field.
    stats = [(process / "stat").read_text() for process in _processes(container)]
    ticks = [int(stat.rpartition(")")[2].split()[19]) for stat in stats]
    return min(ticks) / os.sysconf("SC_CLK_TCK")


def _processes(container: str) -> list[Path]:
    """Return the processes that run in a container, of which we see all."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if container in (process / "cgroup").read_text():
                found.append(process)
    return found


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
