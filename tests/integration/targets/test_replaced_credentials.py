"""A credential that was replaced goes soon, and not only when a crash's leftovers would."""

from pathlib import Path

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.resources import ids
from tests.integration.targets.stage import own_namespace
from tests.support.custom_objects import TARGETS, collection
from tests.support.requests import token_target
from tests.support.running import Running, Wanted, running
from tests.support.target_client import Targets
from tests.support.waiting import eventually

# Leftovers that nobody was seen to need stay longer than this test may take.
PATIENT = {"KRKN_ABANDONED_SECONDS": "3600", "KRKN_TARGET_SWEEP_SECONDS": "0.2"}


async def secrets_of(services: Running, target: str) -> set[str]:
    """The names of a target's Secrets."""
    path = f"/api/v1/namespaces/{services.namespace}/secrets"
    found = await services.cluster.request("GET", path, labelSelector=f"krkn-target-uuid={target}")
    return {secret["metadata"]["name"] for secret in found["items"]}


async def test_an_update_removes_the_old_secret_and_a_mistake_does_not(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    async with (
        own_namespace(control_plane) as namespace,
        running(
            control_plane.cluster, namespace, tmp_path, Wanted(envoy=False, environment=PATIENT)
        ) as services,
    ):
        targets = Targets(services.channel)
        mistaken, updated = await targets.create(), await targets.create()
        [kept] = await secrets_of(services, mistaken)
        [old] = await secrets_of(services, updated)
        await services.cluster.request(
            "PATCH",
            f"{collection(TARGETS, namespace)}/{mistaken}",
            {"spec": {"secretUUID": ids.new_id()}},
            "application/merge-patch+json",
        )
        await targets.when(mistaken, "InvalidKubeconfig")
        await targets.update(updated, token_target())

        async def left() -> set[str]:
            return await secrets_of(services, updated)

        [new] = await eventually(left, lambda names: old not in names)
        assert new != old
        # Whoever swept up the one has looked at the other as well.
        assert await secrets_of(services, mistaken) == {kept}
