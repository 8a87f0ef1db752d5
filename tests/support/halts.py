"""Halts as one makes them with kubectl."""

import uuid
from collections.abc import Mapping

from deploy.local.cluster.api import Cluster
from krkn_grpc.resources.meta import API_VERSION
from tests.support.custom_objects import HALTS, MERGE, TARGETS, Manifest, collection
from tests.support.jobs import Jobs

HALTED = ("Stopped", "Halted")
ALL = {"targetSelector": "!spared"}
"""Selects every target. Under a halt without a selector the API server itself takes no job."""


async def halt(cluster: Cluster, namespace: str, **spec: object) -> Manifest:
    """Make a halt; without more, one of everything without a word of explanation."""
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "KrknChaosHalt",
        "metadata": {"name": f"test-{uuid.uuid4().hex[:8]}"},
        **({"spec": spec} if spec else {}),
    }
    return await cluster.request("POST", collection(HALTS, namespace), manifest)


async def lift(cluster: Cluster, halted: Manifest) -> None:
    """Delete a halt."""
    await cluster.request("DELETE", path_of(halted))


async def read(cluster: Cluster, halted: Manifest) -> Manifest:
    """Return a halt as it is."""
    return await cluster.request("GET", path_of(halted))


def path_of(halted: Manifest) -> str:
    """The path of a halt."""
    metadata = halted["metadata"]
    return f"{collection(HALTS, metadata['namespace'])}/{metadata['name']}"


async def label(jobs: Jobs, target: Manifest, labels: Mapping[str, str | None]) -> None:
    """Set labels of a target; None takes one away."""
    path = f"{collection(TARGETS, jobs.namespace)}/{target['metadata']['name']}"
    await jobs.cluster.request("PATCH", path, {"metadata": {"labels": labels}}, MERGE)


def outcome(status: Manifest) -> tuple[str, str]:
    """The phase of a job and its reason."""
    return status["phase"], status["reason"]


async def ends_halted(jobs: Jobs, job: str) -> Manifest:
    """Wait until the job ended by a halt, and nothing of it is left."""
    status = await jobs.finished(job)
    assert outcome(status) == HALTED, status
    await jobs.no_pod(job)
    await jobs.no_secrets(job)
    return status
