"""What may contact what, by the policies that the API server has: ours, and those of jobs.

Nothing here enforces policies, so they are evaluated.
"""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster import manifests
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.services import REPOSITORY
from krkn_grpc.resources import names
from krkn_grpc.resources.addresses import _REFUSED, METADATA
from tests.support.controllers import controller
from tests.support.custom_objects import Manifest, owner
from tests.support.jobs import Jobs
from tests.support.network_policies import Peer, allows
from tests.support.running import make_namespace, remove_namespace

POLICIES = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"
BASE = manifests.load(REPOSITORY / "deploy" / "base" / "network-policies.yaml")
# Of metrics, of health and of probes: a component opens those of metrics.
OURS = (8081, 8082, 8083, 8084, 8085, 8086)
ANYWHERE = "krkn-scenario-anywhere"
TARGET, OTHER, PROXY = "127.1.1.1", "127.2.2.2", "127.3.3.3"
METADATA_SERVICES = [
    str(network[1] if network.num_addresses > 1 else network[0])
    for network, reason in _REFUSED
    if reason == METADATA
]


@pytest_asyncio.fixture
async def jobs(control_plane: ControlPlane) -> AsyncIterator[Jobs]:
    """A namespace with the policies of an installation."""
    cluster, name = control_plane.cluster, f"test-{uuid.uuid4().hex[:8]}"
    await make_namespace(cluster, name)
    await cluster.apply(manifests.in_namespace(BASE, name))
    yield Jobs(control_plane, name)
    await remove_namespace(cluster, name)


@dataclass(frozen=True)
class World:
    """Who is there: a scenario's pod, our own pod, and others; and the policies between them."""

    jobs: Jobs
    scenario: Peer

    @property
    def ours(self) -> Peer:
        return Peer("10.9.0.2", self.jobs.namespace, {"app.kubernetes.io/name": "krkn-grpc"})

    async def policies(self) -> list[Manifest]:
        path = POLICIES.format(self.jobs.namespace)
        found: list[Manifest] = (await self.jobs.cluster.request("GET", path))["items"]
        return found


DNS = Peer("10.9.0.53", "kube-system", {"k8s-app": "kube-dns"})
OPENSHIFT_DNS = Peer("10.9.0.54", "openshift-dns", {})
GATEWAY = Peer("10.9.0.80", "gateways", {"app": "gateway"})


async def world_of_a_run(jobs: Jobs, folder: Path, **settings: object) -> World:
    """Start a scenario on one of two targets."""
    settings = {"grace_seconds": 0, **settings}
    async with controller(jobs.cluster, jobs.namespace, folder, settings) as process:
        await process.start()
        target = await jobs.target(clusterAPIURL=f"https://{TARGET}:6443")
        job = await jobs.job(target, "never-ends")
        await jobs.running(job)
        pod = await jobs.pod(job)
        assert pod is not None
        return World(jobs, Peer("10.9.0.1", jobs.namespace, pod["metadata"]["labels"]))


async def check(world: World, to: dict[tuple[str, int, str], bool]) -> None:
    """Compare where the scenario's pod may connect to."""
    policies = await world.policies()
    assert {
        (address, port, protocol): allows(policies, world.scenario, Peer(address), port, protocol)
        for address, port, protocol in to
    } == to
    for dns, port in ((DNS, 53), (OPENSHIFT_DNS, 5353), (Peer("169.254.20.10"), 53)):
        assert allows(policies, world.scenario, dns, port, "UDP")
    assert not allows(policies, world.scenario, Peer("169.254.20.10"), 80)
    for port in (80, 443, 8080, *OURS):
        assert not allows(policies, world.scenario, world.ours, port), "never our own Services"
        for other in (GATEWAY, world.ours, world.scenario, Peer("192.0.2.1")):
            assert not allows(policies, other, world.scenario, port), "nobody contacts it"


async def test_by_default_anywhere_but_metadata_and_ours(jobs: Jobs, tmp_path: Path) -> None:
    world = await world_of_a_run(jobs, tmp_path)
    refused = dict.fromkeys(((address, 80, "TCP") for address in METADATA_SERVICES), False)
    reached = ((TARGET, 6443, "TCP"), (OTHER, 443, "TCP"), ("2001:db8::1", 9, "UDP"))
    await check(world, refused | dict.fromkeys(reached, True))


async def test_with_a_policy_for_each_job_its_own_target_alone(jobs: Jobs, tmp_path: Path) -> None:
    await jobs.cluster.request("DELETE", f"{POLICIES.format(jobs.namespace)}/{ANYWHERE}")
    world = await world_of_a_run(
        jobs, tmp_path, network_policies="true", pod_https_proxy=f"http://{PROXY}:3128"
    )
    refused = dict.fromkeys(((address, 80, "TCP") for address in METADATA_SERVICES), False)
    await check(
        world,
        refused
        | {
            (TARGET, 6443, "TCP"): True,
            (TARGET, 443, "TCP"): False,
            (TARGET, 6443, "UDP"): False,
            (OTHER, 6443, "TCP"): False,
            (PROXY, 3128, "TCP"): True,
            (PROXY, 6443, "TCP"): False,
            ("192.0.2.1", 443, "TCP"): False,
            ("2001:db8::1", 443, "TCP"): False,
        },
    )
    another = Peer("10.9.0.7", jobs.namespace, {**world.scenario.labels, "krkn-job-id": "other"})
    assert not allows(await world.policies(), another, Peer(TARGET), 6443), "another job's pod"


async def test_who_contacts_us_and_whom_we_contact(jobs: Jobs) -> None:
    world = World(jobs, Peer("10.9.0.1", jobs.namespace, {"app": "krkn-scenario"}))
    policies, ours = await world.policies(), world.ours
    assert allows(policies, GATEWAY, ours, 8080)
    assert not any(allows(policies, GATEWAY, ours, port) for port in (*OURS, 50051))
    assert allows(policies, ours, Peer("10.0.0.1"), 6443)
    assert allows(policies, ours, Peer(TARGET), 8443)
    assert allows(policies, ours, DNS, 53, "UDP")
    assert not any(allows(policies, ours, Peer(each), 80) for each in METADATA_SERVICES)
    neighbour = Peer("10.9.0.9", jobs.namespace, {"app": "krkn-operator"})
    assert allows(policies, Peer("192.0.2.1"), neighbour, 80), "others' pods are not ours to close"


# --- how a job's policy is written ---


async def policy_of(jobs: Jobs, job: str) -> Manifest:
    path = f"{POLICIES.format(jobs.namespace)}/{names.network_policy_for(job)}"
    return await jobs.cluster.request("GET", path)


def cidrs(policy: Manifest) -> list[str]:
    return [peer["ipBlock"]["cidr"] for rule in policy["spec"]["egress"] for peer in rule["to"]]


async def test_it_is_there_before_the_pod_and_is_the_jobs(jobs: Jobs, tmp_path: Path) -> None:
    """A target's name is resolved."""
    settings = {"network_policies": "true"}
    async with controller(jobs.cluster, jobs.namespace, tmp_path, settings) as process:
        await process.start()
        target = await jobs.target(clusterAPIURL="https://localhost:7443")
        async with jobs.watch() as watch:
            job = await jobs.job(target)
            await jobs.finished(job)
            pod, *_ = watch.versions_of("pods", names.pod_for(job))
    policy = await policy_of(jobs, job)
    assert int(policy["metadata"]["resourceVersion"]) < int(pod["metadata"]["resourceVersion"])
    assert policy["metadata"]["ownerReferences"] == [owner(await jobs.read(job))]
    assert "127.0.0.1/32" in cidrs(policy)
    assert [rule["ports"] for rule in policy["spec"]["egress"]] == [
        [{"protocol": "TCP", "port": 7443}]
    ]


@pytest.mark.parametrize("whose", ["its own, outdated", "another's"])
async def test_a_policy_of_its_name_exists(jobs: Jobs, tmp_path: Path, whose: str) -> None:
    target = await jobs.target(admitted=False, clusterAPIURL=f"https://{TARGET}:6443")
    job = await jobs.job(target)
    owners = [owner(await jobs.read(job))] if whose == "its own, outdated" else []
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": names.network_policy_for(job), "ownerReferences": owners},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]},
    }
    await jobs.cluster.request("POST", POLICIES.format(jobs.namespace), body)
    settings = {"network_policies": "true"}
    async with controller(jobs.cluster, jobs.namespace, tmp_path, settings) as process:
        await process.start()
        status = await jobs.finished(job)
    if owners:
        assert status["phase"] == "Succeeded"
        assert cidrs(await policy_of(jobs, job)) == [f"{TARGET}/32"]
    else:
        assert (status["phase"], status["reason"]) == ("Failed", "NameTaken")
        assert (await policy_of(jobs, job))["spec"]["podSelector"] == {}, "it is left alone"
        assert await jobs.pod(job) is None


async def test_a_name_without_an_address(jobs: Jobs, tmp_path: Path) -> None:
    """There is nothing to let the pod out to, so there is no pod."""
    settings = {"network_policies": "true"}
    async with controller(jobs.cluster, jobs.namespace, tmp_path, settings) as process:
        await process.start()
        job = await jobs.job(await jobs.target(clusterAPIURL="https://nothing.invalid:6443"))
        await jobs.waiting(job, "TargetUnresolved")
        assert await jobs.pod(job) is None
        await jobs.stop(job)
        assert (await jobs.finished(job))["phase"] == "Stopped"
