"""A runner with kubectl does all that may be done to a job while a call is repeated: one start.

The runner may create, read, update and patch jobs, and not delete them. The policies let nothing
pass that would get a job deleted. So that the protocol is tried too, and not the policies alone,
another account may delete jobs as well: the policies refuse that one nothing.
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources import names, well_known
from tests.faults.scenarios import is_over
from tests.integration.runs.conftest import Site, a_site
from tests.support.accounts import RBAC, acting_as, make_account, until_bound
from tests.support.custom_objects import JOBS, MERGE, Manifest, collection
from tests.support.jobs import FINAL, Jobs
from tests.support.object_watch import ObjectWatch
from tests.support.requests import IMAGE
from tests.support.running import Wanted

NOBODY = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": str(uuid.uuid4())}
ATTACKS: dict[str, Manifest] = {
    "strip": {"finalizers": None, "ownerReferences": None},
    "own": {"ownerReferences": [NOBODY]},
    "strip and own": {"finalizers": None, "ownerReferences": [NOBODY]},
    "relabel": {"labels": {well_known.TARGET_UUID: "another", well_known.JOB_ID: "another"}},
    "annotate": {"annotations": {well_known.TRACE: "another", well_known.JOB_UID: "another"}},
    "unmark": {"annotations": None, "labels": None},
}
MOMENTS = ("at once", "named", "Running", "over")


@dataclass(frozen=True)
class Scene:
    """The site, and two who attack its jobs."""

    site: Site
    runner: Cluster
    remover: Cluster

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.site.control_plane, self.site.namespace)


@pytest_asyncio.fixture(scope="module")
async def scene(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(
            a_site(
                control_plane, folder, Wanted(envoy=False), Wanted(controller=False, envoy=False)
            )
        )
        rule = {"apiGroups": ["krkn.krkn-chaos.dev"], "resources": [JOBS], "verbs": ["delete"]}
        path = f"/apis/{RBAC}/v1/namespaces/{site.namespace}/roles"
        await site.cluster.request("POST", path, {"metadata": {"name": "remover"}, "rules": [rule]})
        accounts = []
        for account, roles in (
            ("runner", ("krkn-runner",)),
            ("remover", ("krkn-runner", "remover")),
        ):
            await make_account(site.cluster, site.namespace, account, *roles)
            cluster = await stack.enter_async_context(
                acting_as(control_plane, site.namespace, account)
            )
            await until_bound(cluster, site.namespace)
            accounts.append(cluster)
        yield Scene(site, *accounts)


async def reached(watch: ObjectWatch, job: str, moment: str) -> None:
    """Wait for a moment of a job's life."""

    def is_reached() -> bool:
        status = (watch.latest(JOBS, job) or {}).get("status", {})
        match moment:
            case "named":
                return bool(status.get("podUID"))
            case "Running":
                return status.get("phase") in ("Running", *FINAL)
            case "over":
                return status.get("phase") in FINAL
            case _:
                return True

    await watch.until(moment, is_reached)


def starts(watch: ObjectWatch, job: str) -> set[str]:
    """Return the uids of the pods of a job's id that a node was given."""
    pods = watch.versions_of("pods", names.pod_for(job))
    return {pod["metadata"]["uid"] for pod in pods if pod["spec"].get("nodeName")}


async def attack(by: Cluster, path: str, change: Manifest) -> bool:
    """Whether the API server let it pass."""
    try:
        await by.request("PATCH", path, {"metadata": change}, MERGE)
    except ClusterError as error:
        if error.status not in (403, 404):
            raise
        return False
    return True


@pytest.mark.timeout(300)
@pytest.mark.parametrize("by_remover", [False, True], ids=["a runner", "a runner with deletion"])
async def test_no_attack_starts_a_scenario_twice(scene: Scene, by_remover: bool) -> None:
    by, chance = scene.remover if by_remover else scene.runner, random.Random(3)
    passed: set[str] = set()

    async def play(name: str, moment: str, watch: ObjectWatch, target: str) -> None:
        asked: dict[str, Any] = {
            "requestId": str(uuid.uuid4()),
            "scenarioImage": f"{IMAGE}-lasts-1s",
        }
        [job] = await scene.site.runs.run(target, **asked)
        path = f"{collection(JOBS, scene.site.namespace)}/{job}"
        await reached(watch, job, moment)
        if await attack(by, path, ATTACKS[name]):
            passed.add(name)
        for server in (scene.site.runs, scene.site.other_runs) * 3:
            reply = await server.ask(target, **asked)
            assert [entry.job_id for entry in reply.jobs] == [job]
            await asyncio.sleep(chance.uniform(0, 0.4))  # at any moment of what follows
        await watch.until("over", lambda: is_over(watch, job))
        assert len(starts(watch, job)) <= 1, (name, moment)

    plays = [(name, moment) for name in ATTACKS for moment in MOMENTS]
    targets = await scene.site.some_targets(len(plays))
    async with scene.jobs.watch() as watch:
        await asyncio.gather(
            *(
                play(name, moment, watch, target)
                for (name, moment), target in zip(plays, targets, strict=True)
            )
        )
    # A job of ours has no finalizer and no owner to begin with: there is nothing to strip.
    assert passed == (set(ATTACKS) if by_remover else {"strip"})


@pytest.mark.timeout(120)
async def test_a_job_that_is_deleted_and_made_again_by_hand_is_not_the_callers(
    scene: Scene,
) -> None:
    """Who may delete takes its place with another of the same id: the caller's never comes back."""
    [target] = await scene.site.some_targets(1)
    asked: dict[str, Any] = {"requestId": str(uuid.uuid4()), "scenarioImage": f"{IMAGE}-lasts-0s"}
    [job] = await scene.site.runs.run(target, **asked)
    await scene.jobs.finished(job)
    await scene.jobs.delete(job)
    await scene.jobs.gone(job)
    await scene.jobs.no_pod(job)
    forged = await scene.jobs.read_target(target)
    await scene.jobs.job(forged, "lasts-0s", jobId=job)
    reply = await scene.site.runs.ask(target, **asked)
    assert [entry.job_id for entry in reply.jobs] == [job]
    assert len(await scene.site.jobs_on(target)) == 1
    assert (await scene.jobs.finished(job))["phase"] == "Succeeded", "it is its maker's run"
