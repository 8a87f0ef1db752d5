"""Nothing is adopted by default, and the default roles do not allow it."""

from pathlib import Path

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.adoption.conftest import Foreign, adopting_namespace
from tests.integration.adoption.other_provider import OtherProvider
from tests.support.accounts import acting_as, until_bound
from tests.support.controllers import ACCOUNT, controller
from tests.support.custom_objects import REQUESTS, TARGETS, Manifest, collection, whole
from tests.support.jobs import Jobs
from tests.support.requests import unused_name
from tests.support.waiting import eventually

PROVIDER = "krkn-operator-acm"
LEASE = {"lease_seconds": 2}


async def test_nothing_is_adopted_by_default(
    control_plane: ControlPlane, namespace: str, foreign: Foreign, tmp_path: Path
) -> None:
    provider = OtherProvider(control_plane.cluster, namespace, PROVIDER)
    await provider.register()
    async with controller(control_plane.cluster, namespace, tmp_path, LEASE) as process:
        await process.start()
        await provider.answer({unused_name(): await foreign.kubeconfig()})
        # What the controller sees after the answer, it has seen the answer before.
        await Jobs(control_plane, namespace).target()
        assert await provider.targets() == []


async def test_the_setting_alone_adopts_nothing(
    control_plane: ControlPlane, namespace: str, foreign: Foreign, tmp_path: Path
) -> None:
    provider = OtherProvider(control_plane.cluster, namespace, PROVIDER)
    await provider.register()
    settings = LEASE | {"adopt_providers": PROVIDER}
    async with controller(control_plane.cluster, namespace, tmp_path, settings) as process:
        await process.start()
        await provider.answer({unused_name(): await foreign.kubeconfig()})
        failed = await process.logged("reconcile failed")
        assert (failed["queue"], failed["key"]) == ("adoption", PROVIDER)
        assert await provider.targets() == []


async def may(account: Cluster, method: str, path: str, body: Manifest | None = None) -> bool:
    """Whether the account may make the call; it is only tried."""
    try:
        await account.request(method, path, body, **({} if body is None else {"dryRun": "All"}))
    except ClusterError as error:
        if error.status != 403:
            raise
        return False
    return True


async def test_what_the_component_adds(control_plane: ControlPlane, namespace: str) -> None:
    async def allowed(where: str) -> list[bool]:
        async with acting_as(control_plane, where, ACCOUNT) as account:
            await until_bound(account, where)
            return [
                await may(account, "POST", collection(TARGETS, where), whole(TARGETS)),
                await may(account, "POST", collection(REQUESTS, where), whole(REQUESTS)),
                await may(account, "GET", "/api/v1/namespaces/kube-system"),
                await may(account, "GET", "/api/v1/namespaces/default"),
            ]

    assert await allowed(namespace) == [False] * 4
    async with adopting_namespace(control_plane) as adopting:
        # The API server learns of new bindings late.
        await eventually(lambda: allowed(adopting), lambda each: each == [True] * 3 + [False])


async def test_an_address_is_refused_as_in_a_registration(
    control_plane: ControlPlane, foreign: Foreign, tmp_path: Path
) -> None:
    settings = LEASE | {"adopt_providers": PROVIDER, "allowed_target_networks": ""}
    async with (
        adopting_namespace(control_plane) as namespace,
        controller(control_plane.cluster, namespace, tmp_path, settings) as process,
    ):
        provider = OtherProvider(control_plane.cluster, namespace, PROVIDER)
        await provider.register()
        await process.start()
        name = unused_name()
        await provider.answer({name: await foreign.kubeconfig()})
        refused = await process.logged("cluster not adopted")
        assert refused["cluster"] == name
        assert refused["reason"] == "Loopback addresses are not allowed as targets."
        assert await provider.targets() == []
