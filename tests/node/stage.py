"""What a test of this folder does and sees: REST as a caller has it, the node, the targets."""

import asyncio
import base64
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.cluster.api import ClusterError, Manifest
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.node.node import Node
from krkn_grpc.resources import names
from tests.node import images
from tests.node.target import LABEL, TargetCluster
from tests.support.jobs import Jobs
from tests.support.rest import FINAL, RUNS, TARGETS, Rest
from tests.support.running import Running
from tests.support.waiting import eventually

GRACE_SECONDS = 20
# A container takes some seconds to start, and a busy machine some more.
SECONDS = 60.0


@dataclass(frozen=True)
class Stage:
    """One test's hand on everything."""

    rest: Rest
    product: Running
    control_plane: ControlPlane
    node: Node
    targets: list[TargetCluster]
    uuids: list[str]
    victims: str
    """The test's own namespace in each target."""
    started: list[str] = field(default_factory=list)

    @property
    def jobs(self) -> Jobs:
        """The administrator's look at our cluster."""
        return Jobs(self.control_plane, self.product.namespace)

    @staticmethod
    async def register(rest: Rest, target: TargetCluster) -> str:
        """Register a target cluster and wait until the controller has reached it."""
        encoded = base64.b64encode(target.kubeconfig.encode()).decode()
        body = {"clusterName": target.name, "secretType": "kubeconfig", "kubeconfig": encoded}
        reply = await rest.post(TARGETS, body)
        assert reply.status == 201, reply
        uuid: str = reply.body["uuid"]

        async def shown() -> Any:
            return (await rest.get(f"{TARGETS}/{uuid}")).body

        await eventually(shown, lambda target: target["ready"], seconds=SECONDS)
        return uuid

    async def run(self, image: str, *uuids: str, **changes: Any) -> list[str]:
        """Run a scenario image on these targets, the first one if none is said; return the jobs."""
        environment = {
            "NAMESPACE": self.victims,
            "POD_LABEL": LABEL,
            "ROLLED_BACK": "rolled-back",
            "GO_ON": "go-on",
            **changes.pop("environment", {}),
        }
        started = await self.rest.run(
            *(uuids or self.uuids[:1]),
            scenarioImage=images.name_of(image),
            scenarioName=image,
            environment=environment,
            **changes,
        )
        self.started.extend(started)
        return started

    async def run_one(self, image: str, **changes: Any) -> str:
        """Run a scenario image on the first target; return the job."""
        [job] = await self.run(image, **changes)
        return job

    async def when(
        self, job: str, accept: Callable[[dict[str, Any]], object], *, seconds: float = SECONDS
    ) -> dict[str, Any]:
        """Return a job as REST shows it, as soon as it is accepted."""
        return await eventually(lambda: self.rest.job(job), accept, seconds=seconds)

    async def ended(self, job: str) -> dict[str, Any]:
        """Return a job that has come to its end."""
        return await self.when(job, lambda shown: shown["status"] in FINAL)

    async def running(self, job: str) -> dict[str, Any]:
        """Return a job that runs."""
        return await self.when(job, lambda shown: shown["status"] == "Running")

    async def stop(self, job: str) -> None:
        """Ask for the stop of a job."""
        reply = await self.rest.delete(f"{RUNS}/{job}")
        assert reply.status == 200, reply

    async def log(self, job: str) -> str:
        """Return the log as it is."""
        reply = await self.rest.get(f"{RUNS}/{job}/logs")
        assert reply.status == 200, reply
        return reply.text

    async def follow(self, job: str) -> str:
        """Return the log to its end, as it comes."""
        path = f"{RUNS}/{job}/logs"
        async with self.product.rest.get(path, params={"follow": "true"}) as reply:
            assert reply.status == 200, await reply.text()
            return await reply.text()

    async def says(self, job: str, text: str) -> None:
        """Wait until the scenario has printed something."""

        async def log() -> str:
            reply = await self.rest.get(f"{RUNS}/{job}/logs")
            return reply.text if reply.status == 200 else ""

        await eventually(log, lambda said: text in said, seconds=SECONDS)

    async def container(self, job: str) -> Manifest:
        """Return what the node says of the scenario's container."""
        pod = await self.jobs.pod(job)
        assert pod is not None
        [status] = pod["status"]["containerStatuses"]
        state: Manifest = status["state"]
        return state

    async def event(self, job: str, reason: str) -> Manifest:
        """Return the first event of the job's pod that has this reason, once there is one."""
        path = f"/api/v1/namespaces/{self.product.namespace}/events"
        selector = f"involvedObject.name={names.pod_for(job)},reason={reason}"

        async def found() -> list[Manifest]:
            listed = await self.control_plane.cluster.request("GET", path, fieldSelector=selector)
            items: list[Manifest] = listed["items"]
            return items

        return (await eventually(found, seconds=SECONDS))[0]

    async def forget(self, image: str) -> None:
        """Take an image from the node."""
        await self.node.containerd.remove(images.name_of(image))

    async def load_again(self) -> None:
        """Give the node all images."""
        await self.node.load(self.node.folder / images.ARCHIVE)

    async def processes(self, part: str) -> list[str]:
        """Return the command lines of all processes on the node that have this in them."""
        return await asyncio.to_thread(_processes, part)

    async def files_with(self, secret: str) -> list[Path]:
        """Return the files of the node, its containers' and kubelet's, that have this in them."""
        return await asyncio.to_thread(_files_with, self.node.folder, secret.encode())

    async def clear(self) -> None:
        """End what the test left running, at once."""
        for job in self.started:
            await self.rest.delete(f"{RUNS}/{job}")
        for job in self.started:
            path = f"/api/v1/namespaces/{self.product.namespace}/pods/{names.pod_for(job)}"
            pod = await self.jobs.pod(job)
            if pod is not None and pod["status"]["phase"] in ("Pending", "Running"):
                try:
                    await self.control_plane.cluster.request("DELETE", path, gracePeriodSeconds="1")
                except ClusterError as error:
                    if error.status != 404:
                        raise
        await asyncio.gather(*(self.ended(job) for job in self.started))


def _processes(part: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if part in line:
                found.append(line)
    return found


def _files_with(folder: Path, secret: bytes) -> list[Path]:
    found = []
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and not path.is_symlink() and secret in path.read_bytes():
                found.append(path)
    return found
