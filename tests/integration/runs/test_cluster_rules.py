"""What the cluster's own rules refuse is told as that, never as a fault of the service.

Policies, webhooks that are away, quotas that others count, a namespace that is being deleted.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from grpc import StatusCode

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.runs.conftest import Site, a_site
from tests.integration.runs.held import told
from tests.support.cluster_rules import (
    SAID,
    a_policy,
    a_webhook_that_is_away,
    make_quota,
    others_count,
)
from tests.support.custom_objects import JOBS, MERGE, RUNS, TARGETS
from tests.support.inventory import written
from tests.support.requests import canary, token_target
from tests.support.rpc import refused
from tests.support.running import Wanted

OURS = "krkn.krkn-chaos.dev/"
LEASES = "coordination.k8s.io/leases"
REFUSED = "a rule of the cluster (a policy or an admission webhook) does not allow it"
AWAY = "an admission webhook of the cluster does not answer; nothing was written"
ENDS = "the namespace of the service is being deleted"
REASONS = ["Forbidden", "Invalid"]


@pytest_asyncio.fixture(scope="module")
async def ruled(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    """A server without a controller, which gives a write up after three seconds."""
    wanted = Wanted(controller=False, envoy=False, environment={"KRKN_WRITE_SECONDS": "3"})
    async with a_site(control_plane, tmp_path_factory.mktemp("ruled"), wanted) as site:
        yield site


def asks(site: Site, target: str) -> Any:
    """Ask for a run that writes itself, a Secret and a job."""
    return site.runs.start(
        target, requestId=str(uuid.uuid4()), secretEnvironment={"PASSWORD": canary()}
    )


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("resource", ["secrets", OURS + JOBS])
async def test_a_run_whose_objects_a_policy_refuses(
    ruled: Site, resource: str, reason: str
) -> None:
    [target] = await ruled.some_targets(1)
    async with a_policy(ruled.cluster, ruled.namespace, resource, reason):
        reply = await ruled.runs.ask(target, secretEnvironment={"PASSWORD": canary()})
    assert told(reply) == [(target, "Failed", False)]
    assert reply.jobs[0].error == REFUSED
    assert await ruled.jobs_on(target) == []


@pytest.mark.parametrize("reason", REASONS)
async def test_a_run_that_a_policy_refuses(ruled: Site, reason: str) -> None:
    [target] = await ruled.some_targets(1)
    async with a_policy(ruled.cluster, ruled.namespace, OURS + RUNS, reason):
        found = await refused(asks(ruled, target))
    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "RULE_OF_THE_CLUSTER")
    assert (found.message, found.retry_seconds) == (REFUSED, None)
    assert await ruled.jobs_on(target) == []


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("resource", ["secrets", LEASES, OURS + TARGETS])
async def test_a_target_whose_objects_a_policy_refuses(
    ruled: Site, resource: str, reason: str
) -> None:
    before = await written(ruled.cluster, ruled.namespace)
    async with a_policy(ruled.cluster, ruled.namespace, resource, reason):
        found = await refused(ruled.targets.create(token_target()))
    assert (found.code, found.message) == (StatusCode.FAILED_PRECONDITION, REFUSED)
    assert await written(ruled.cluster, ruled.namespace) == before, "nothing is left of it"


@pytest.mark.parametrize("reason", REASONS)
async def test_a_change_that_a_policy_refuses(ruled: Site, reason: str) -> None:
    [target] = await ruled.some_targets(1)
    [job_id] = await ruled.runs.run(target)
    both = [OURS + JOBS, OURS + TARGETS]
    async with a_policy(ruled.cluster, ruled.namespace, both, reason, operations=["UPDATE"]):
        for call in (ruled.runs.stop(job_id), ruled.targets.update(target)):
            found = await refused(call)
            assert (found.code, found.message) == (StatusCode.FAILED_PRECONDITION, REFUSED)
    assert SAID not in found.message


async def test_a_webhook_that_comes_back_in_time(ruled: Site) -> None:
    [target] = await ruled.some_targets(1)
    every = ["secrets", OURS + RUNS, OURS + JOBS]
    async with a_webhook_that_is_away(ruled.cluster, ruled.namespace, every):
        call = asyncio.ensure_future(asks(ruled, target))
        await asyncio.sleep(0.5)  # it is refused by now
    reply = await call
    assert told(reply) == [(target, "Pending", True)]


@pytest.mark.parametrize("resource", ["secrets", OURS + JOBS])
async def test_a_run_while_a_webhook_is_away(ruled: Site, resource: str) -> None:
    [target] = await ruled.some_targets(1)
    async with a_webhook_that_is_away(ruled.cluster, ruled.namespace, resource):
        reply = await ruled.runs.ask(target, secretEnvironment={"PASSWORD": canary()})
    assert told(reply) == [(target, "Failed", False)]
    assert reply.jobs[0].error == AWAY
    assert await ruled.jobs_on(target) == []


async def test_calls_that_write_nothing_while_a_webhook_is_away(ruled: Site) -> None:
    [target] = await ruled.some_targets(1)
    async with a_webhook_that_is_away(ruled.cluster, ruled.namespace, [LEASES, OURS + RUNS]):
        run = await refused(asks(ruled, target))
        new = await refused(ruled.targets.create(token_target()))
    assert (run.code, run.retry_seconds) == (StatusCode.UNAVAILABLE, 1)
    assert run.message == f"{AWAY}; no job was created; try again"
    assert (new.code, new.message, new.retry_seconds) == (StatusCode.UNAVAILABLE, AWAY, 1)


@pytest.mark.timeout(180)
async def test_a_quota_that_others_count_for_seconds(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    wanted = Wanted(controller=False, envoy=False)
    async with a_site(control_plane, tmp_path, wanted) as site:
        targets = await site.some_targets(20)
        for counted in (f"count/{JOBS}.krkn.krkn-chaos.dev", "count/secrets"):
            quota = await make_quota(
                site.cluster, site.namespace, counted, 100_000, name=counted.split("/")[1]
            )
        async with others_count(site.cluster, quota, seconds=5):
            reply, new = await asyncio.gather(
                site.runs.ask(*targets, secretEnvironment={"PASSWORD": canary()}),
                site.targets.create(token_target()),
            )
    assert told(reply) == [(target, "Pending", True) for target in targets]
    assert new


async def test_a_namespace_that_is_being_deleted(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    wanted = Wanted(controller=False, envoy=False, environment={"KRKN_WRITE_SECONDS": "3"})
    async with a_site(control_plane, tmp_path, wanted) as site:
        [target] = await site.some_targets(1)
        path = f"/api/v1/namespaces/{site.namespace}"
        # Its content stays, because something of it does.
        keeps = {"metadata": {"finalizers": ["test.example/keeps"]}}
        kept = f"/apis/{OURS}v1alpha1/namespaces/{site.namespace}/{TARGETS}/{target}"
        roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{site.namespace}"
        await site.cluster.request("PATCH", kept, keeps, MERGE)
        for part in ("roles", "rolebindings"):
            name = f"{roles}/{part}/krkn-grpc-server"
            await site.cluster.request("PATCH", name, keeps, MERGE)
        await site.cluster.request("DELETE", path)
        try:
            for call in (
                asks(site, target),
                site.runs.start(target),
                site.targets.create(token_target()),
            ):
                found = await refused(call)
                assert found.code is StatusCode.FAILED_PRECONDITION
                assert (found.reason, found.message) == ("NAMESPACE_GONE", ENDS)
        finally:
            for name in (
                kept,
                f"{roles}/roles/krkn-grpc-server",
                f"{roles}/rolebindings/krkn-grpc-server",
            ):
                await site.cluster.request("PATCH", name, {"metadata": {"finalizers": None}}, MERGE)
