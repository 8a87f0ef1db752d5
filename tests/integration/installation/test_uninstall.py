"""Removing an installation comes to an end by itself, whatever its jobs do and who is left."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal, get_args

import pytest
import pytest_asyncio

from deploy.local.cluster import manifests
from deploy.local.cluster.api import Cluster, Manifest
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from deploy.local.services import REPOSITORY
from krkn_grpc.resources import ids
from tests.faults.conftest import ALL
from tests.support.custom_objects import BLACKOUTS, HALTS, REQUESTS, store
from tests.support.jobs import Jobs
from tests.support.kubectl import Kubectl
from tests.support.requests import IMAGE, canary
from tests.support.running import Running, Wanted, running
from tests.support.runs import Runs
from tests.support.target_client import Targets
from tests.support.waiting import eventually

DEPLOY = REPOSITORY / "deploy"
CLUSTER, OVERLAY = "deploy/cluster", "deploy/overlays/default"
CLUSTER_WIDE = [DEPLOY / "crds", DEPLOY / "admission"]
NAMESPACE = "krkn-operator-system"
GRACE_SECONDS = 3
REMOVAL_SECONDS = 60.0

How = Literal["kubectl delete -k", "kubectl delete -k, all", "kubectl delete namespace"]
Controller = Literal["controller stays", "controller goes first"]


@dataclass(frozen=True)
class Installation:
    """What the README's commands install, its processes, and one admitted target."""

    control_plane: ControlPlane
    kubectl: Kubectl
    services: Running
    target: str

    @property
    def cluster(self) -> Cluster:
        """The administrator's calls."""
        return self.control_plane.cluster

    @property
    def jobs(self) -> Jobs:
        """The administrator's hand on the jobs."""
        return Jobs(self.control_plane, NAMESPACE)

    async def job_of_each_kind(self, behaviour: str) -> list[str]:
        """Make a job with a requestId, one without, and one by kubectl."""
        runs = Runs(self.services.channel)
        asked = {"scenarioImage": f"{IMAGE}-{behaviour}", "secretEnvironment": {"S": canary()}}
        target = await self.jobs.read_target(self.target)
        return [
            *await runs.run(self.target, requestId=ids.new_id(), **asked),
            *await runs.run(self.target, **asked),
            await self.jobs.job(target, behaviour),
        ]

    async def remove(self, how: How) -> list[Manifest]:
        """Delete as a person does, without waiting in between; return what is to be gone."""
        removed = manifests.load(DEPLOY / "rbac", DEPLOY / "base")
        if how == "kubectl delete namespace":
            await self.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
            # What is not in the namespace has to be deleted by its label (docs/operations.md).
            return [each for each in removed if each["kind"] not in manifests.BY_NAMESPACE]
        await self.kubectl("delete", "--wait=false", "-k", OVERLAY)
        if how == "kubectl delete -k":
            return removed
        await self.kubectl("delete", "--wait=false", "-k", CLUSTER)
        return [*removed, *manifests.load(*CLUSTER_WIDE)]

    async def left_of(self, removed: list[Manifest]) -> list[str]:
        """Return what is still there, and what the API server says that it waits for."""
        found = await asyncio.gather(*map(self.cluster.find, removed))
        return [_told(manifest) for manifest in found if manifest is not None]


def _told(manifest: Manifest) -> str:
    conditions = manifest.get("status", {}).get("conditions") or ()
    waits = [c["message"] for c in conditions if c["status"] == "True" and c.get("message")]
    return f"{manifest['kind']} {manifest['metadata']['name']} {waits}"


@pytest_asyncio.fixture
async def installation(binaries: Binaries, tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation in a cluster of its own: its CRDs go with it."""
    async with ControlPlane(binaries, crds=[DEPLOY / "crds"]) as control_plane:
        kubectl = Kubectl(control_plane.admin_kubeconfig, REPOSITORY)
        for folder in (CLUSTER, OVERLAY):
            await kubectl("apply", "--server-side", "-k", folder)
        settings = {"KRKN_GRACE_SECONDS": str(GRACE_SECONDS)}
        wanted = Wanted(envoy=False, environment=settings)
        async with running(control_plane.cluster, NAMESPACE, tmp_path, wanted) as services:
            target = await Targets(services.channel).create()
            await store(control_plane.cluster, NAMESPACE, REQUESTS)
            # Of no target: a selector that can be read, and nothing has the label.
            for kind in (HALTS, BLACKOUTS):
                await store(control_plane.cluster, NAMESPACE, kind, targetSelector="halted")
            yield Installation(control_plane, kubectl, services, target)


State = Literal["finished", "running"]
Case = tuple[How, State, Controller]

# Each case has a control plane of its own, so most runs take some of them.
SOME: list[Case] = [
    ("kubectl delete -k", "running", "controller goes first"),
    ("kubectl delete -k, all", "running", "controller stays"),
    ("kubectl delete namespace", "finished", "controller stays"),
    ("kubectl delete namespace", "running", "controller goes first"),
]
EVERY: list[Case] = list(product(get_args(How), get_args(State), get_args(Controller)))


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("how", "state", "controller"), EVERY if ALL else SOME)
async def test_an_installation_goes_by_itself(
    installation: Installation,
    how: How,
    state: State,
    controller: Controller,
) -> None:
    jobs = installation.jobs
    if state == "finished":
        for job in await installation.job_of_each_kind("lasts-0s"):
            await jobs.finished(job)
    else:
        for job in await installation.job_of_each_kind("ignores-sigterm"):
            await jobs.running(job)
        for job in await installation.job_of_each_kind("image-pull-error"):
            await jobs.waiting(job, "ErrImagePull")
    if controller == "controller goes first":
        await installation.services.processes.kill("controller")

    removed = await installation.remove(how)
    await eventually(
        lambda: installation.left_of(removed),
        lambda left: not left,
        seconds=REMOVAL_SECONDS + (GRACE_SECONDS if state == "running" else 0),
        pause=0.5,
    )

    # A new installation finds nothing of the old one in its way.
    for folder in (CLUSTER, OVERLAY):
        await installation.kubectl("apply", "--server-side", "-k", folder)
