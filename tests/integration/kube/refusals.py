"""Ways to bring a real API server to refuse a call, each for one reason."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from deploy.local.cluster import kubeconfig
from deploy.local.cluster.api import Cluster
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.client import ResourceClient
from krkn_grpc.kube.errors import KubeError
from krkn_grpc.kube.session import Session
from krkn_grpc.resources.core import Lease, LeaseSpec
from krkn_grpc.resources.meta import ObjectMeta
from krkn_grpc.resources.provider import Provider
from tests.support.cluster_rules import (
    a_policy,
    a_webhook_that_is_away,
    make_quota,
    others_count,
)
from tests.support.custom_objects import MERGE
from tests.support.running import make_namespace
from tests.support.waiting import eventually

LEASES = "coordination.k8s.io/leases"
COUNTED = "count/leases.coordination.k8s.io"


@dataclass(frozen=True)
class World:
    """A namespace, the administrator, and stores as the product has them."""

    cluster: Cluster
    namespace: str
    session: Session
    folder: Path

    @property
    def leases(self) -> ResourceClient[Lease]:
        return ResourceClient(self.session, Lease, self.namespace)

    async def told(self, write: Callable[[], Awaitable[object]]) -> KubeError:
        """Return what the write is refused with, as soon as it is."""

        async def tried() -> KubeError | None:
            try:
                await write()
            except KubeError as error:
                return error
            return None

        error = await eventually(tried)
        assert error is not None
        return error

    async def create(self, **metadata: object) -> KubeError:
        return await self.told(lambda: self.leases.create(a_lease(**metadata)))


def a_lease(**metadata: object) -> Lease:
    named = {"name": f"a-{uuid.uuid4().hex[:8]}"} | metadata
    return Lease(metadata=msgspec.convert(named, ObjectMeta), spec=LeaseSpec())


async def forbidden_by_a_policy(world: World) -> KubeError:
    async with a_policy(world.cluster, world.namespace, LEASES, "Forbidden") as name:
        error = await world.create()
        assert f"ValidatingAdmissionPolicy '{name}'" in str(error)
        return error


async def invalid_by_a_policy(world: World) -> KubeError:
    async with a_policy(world.cluster, world.namespace, LEASES, "Invalid"):
        return await world.create()


async def too_large_by_a_policy(world: World) -> KubeError:
    async with a_policy(world.cluster, world.namespace, LEASES, "RequestEntityTooLarge"):
        return await world.create()


async def changed_by_a_policy(world: World) -> KubeError:
    """Not only creates are refused so."""
    lease = await world.leases.create(a_lease())
    async with a_policy(world.cluster, world.namespace, LEASES, "Invalid", operations=["UPDATE"]):
        return await world.told(lambda: world.leases.replace(lease))


async def webhook_away(world: World) -> KubeError:
    async with a_webhook_that_is_away(world.cluster, world.namespace, LEASES):
        return await world.create()


async def webhook_away_at_a_patch(world: World) -> KubeError:
    name = (await world.leases.create(a_lease())).metadata.name
    async with a_webhook_that_is_away(world.cluster, world.namespace, LEASES, ["UPDATE"]):
        return await world.told(lambda: world.leases.merge(name, {"metadata": {"labels": {}}}))


async def namespace_ends(world: World) -> KubeError:
    async with a_namespace_that_ends(world.cluster) as name:
        leases = ResourceClient(world.session, Lease, name)
        return await world.told(lambda: leases.create(a_lease()))


@contextlib.asynccontextmanager
async def a_namespace_that_ends(cluster: Cluster) -> AsyncIterator[str]:
    """A namespace that is being deleted, for as long as the context lasts."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    path = f"/api/v1/namespaces/{name}"
    await make_namespace(cluster, name)
    keeps = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "keeps", "finalizers": ["test.example/keeps"]},
    }
    await cluster.request("POST", f"{path}/configmaps", keeps)
    await cluster.request("DELETE", path)
    try:
        yield name
    finally:
        gone = {"metadata": {"finalizers": None}}
        await cluster.request("PATCH", f"{path}/configmaps/keeps", gone, MERGE)


async def no_namespace(world: World) -> KubeError:
    leases = ResourceClient(world.session, Lease, "there-is-none")
    return await world.told(lambda: leases.create(a_lease()))


async def quota_busy(world: World) -> KubeError:
    quota = await make_quota(world.cluster, world.namespace, COUNTED, 100_000)
    async with others_count(world.cluster, quota):
        return await world.create()


async def quota_used_up(world: World) -> KubeError:
    await make_quota(world.cluster, world.namespace, COUNTED, 0)
    return await world.create()


async def quota_not_counted(world: World) -> KubeError:
    quota = await make_quota(world.cluster, world.namespace, COUNTED, 10)
    await world.cluster.request("PATCH", f"{quota}/status", {"status": {"used": None}}, MERGE)
    return await world.create()


async def no_role(world: World) -> KubeError:
    token = await world.cluster.token(world.namespace, "krkn-grpc-server", seconds=600)
    async with with_token(world, token) as session:
        providers = ResourceClient(session, Provider, world.namespace)
        return await world.told(lambda: providers.get("a"))


async def not_known(world: World) -> KubeError:
    async with with_token(world, "nobody") as session:
        leases = ResourceClient(session, Lease, world.namespace)
        return await world.told(lambda: leases.get("a"))


@contextlib.asynccontextmanager
async def with_token(world: World, token: str) -> AsyncIterator[Session]:
    """Calls with this token and no certificate."""
    path = kubeconfig.write(
        world.folder / "kubeconfig",
        url=world.cluster.url,
        ca_pem=world.cluster.ca_pem,
        user={"token": token},
    )
    async with Session(await ClusterAccess.load(path)) as session:
        yield session


async def taken(world: World) -> KubeError:
    lease = a_lease()
    await world.leases.create(lease)
    return await world.told(lambda: world.leases.create(lease))


async def not_found(world: World) -> KubeError:
    return await world.told(lambda: world.leases.get("there-is-none"))


async def old_version(world: World) -> KubeError:
    lease = await world.leases.create(a_lease())
    await world.leases.merge(lease.metadata.name, {"metadata": {"labels": {"a": "b"}}})
    return await world.told(lambda: world.leases.replace(lease))


async def another_uid(world: World) -> KubeError:
    lease = await world.leases.create(a_lease())
    uid = str(uuid.uuid4())
    return await world.told(lambda: world.leases.delete(lease.metadata.name, uid=uid))


async def old_page(world: World) -> KubeError:
    return await world.told(lambda: world.session.call("GET", leases_path(world) + "?continue=x"))


def leases_path(world: World) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{world.namespace}/leases"


async def not_valid(world: World) -> KubeError:
    return await world.create(labels={"-": "-"})


async def not_to_be_read(world: World) -> KubeError:
    return await world.told(lambda: world.session.call("POST", leases_path(world), body=b"{"))


async def too_large_for_etcd(world: World) -> KubeError:
    return await world.create(labels={f"label-{number}": "v" * 60 for number in range(28_000)})


async def too_large_for_the_api_server(world: World) -> KubeError:
    body = b" " * 4_000_000
    return await world.told(lambda: world.session.call("POST", leases_path(world), body=body))


async def no_such_method(world: World) -> KubeError:
    return await world.told(
        lambda: world.session.call("POST", leases_path(world) + "/a", body=b"{}")
    )


async def no_such_format(world: World) -> KubeError:
    return await world.told(
        lambda: world.session.call("POST", leases_path(world), body=b"x", content_type="text/csv")
    )


async def no_such_path(world: World) -> KubeError:
    return await world.told(lambda: world.session.call("GET", "/apis/nothing.example/v1/things"))
