"""Releases of the chart on a real API server, by Helm itself. No node runs their pods."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.go.build import Binaries
from tests.support.accounts import acting_as, make_account
from tests.support.custom_objects import JOBS, TARGETS, store
from tests.support.helm import Chart, HelmError, Manifest, Rendered
from tests.support.waiting import eventually

DEFINITION = "CustomResourceDefinition"
TEAM_A, TEAM_B = ("krkn-grpc", "team-a"), ("chaos", "team-b")
WITHOUT_CRDS = {"crds": {"install": False}}


@pytest_asyncio.fixture
async def control_plane(binaries: Binaries) -> AsyncIterator[ControlPlane]:
    """An API server that has nothing of ours yet."""
    async with ControlPlane(binaries, only_api_server=True) as started:
        yield started


@pytest.fixture
def installer(chart: Chart, control_plane: ControlPlane) -> Chart:
    """Helm, as the administrator of that cluster."""
    return replace(chart, kubeconfig=control_plane.admin_kubeconfig)


async def there(cluster: Cluster, rendered: Rendered) -> set[tuple[str, str]]:
    """Which of the objects exist."""
    return {key for key, manifest in rendered.items() if await cluster.find(manifest) is not None}


def definitions(rendered: Rendered) -> set[tuple[str, str]]:
    return {(kind, name) for kind, name in rendered if kind == DEFINITION}


async def refused(cluster: Cluster, method: str, path: str, body: Manifest) -> str:
    """Try a call, of which nothing remains, and return why it was refused, "" if it was not."""
    try:
        await cluster.request(method, path, body, dryRun="All")
    except ClusterError as error:
        return str(error)
    return ""


async def works(control_plane: ControlPlane, namespace: str) -> None:
    """Wait until the roles and the policies of a namespace's release are in effect."""
    await until_served(control_plane.cluster, namespace)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "not-of-a-target"},
        "type": "Opaque",
    }
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": "of-nobody"},
    }
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    async with acting_as(control_plane, namespace, "krkn-grpc-server") as server:
        await eventually(
            lambda: refused(server, "POST", secrets, secret),
            lambda said: "the server creates only the Secrets" in said,
        )
        reviews = "/apis/authentication.k8s.io/v1/tokenreviews"
        await eventually(lambda: refused(server, "POST", reviews, review), lambda said: not said)
        # Another namespace is not its own.
        assert "forbidden" in await refused(
            server, "POST", "/api/v1/namespaces/default/secrets", secret
        )
        # The server may name another caller than itself.
        await store(server, namespace, JOBS, requestedBy="somebody")

    await make_account(control_plane.cluster, namespace, "ci", "krkn-runner")
    async with acting_as(control_plane, namespace, "ci") as caller:

        async def said() -> str:
            try:
                await store(caller, namespace, JOBS, requestedBy="somebody")
            except ClusterError as error:
                return str(error)
            return ""

        await eventually(said, lambda why: "can name nobody but yourself" in why)


async def until_served(cluster: Cluster, namespace: str) -> None:
    """Wait until the API server serves our kinds: it does so a moment after the definition."""

    async def served() -> bool:
        try:
            await cluster.request(
                "GET", f"/apis/krkn.krkn-chaos.dev/v1alpha1/namespaces/{namespace}/{JOBS}"
            )
        except ClusterError as error:
            if error.status not in (404, 429):  # 429: it has no storage yet
                raise
            return False
        return True

    await eventually(served)


async def test_upgrade_rollback_and_uninstall(
    control_plane: ControlPlane, installer: Chart, tmp_path: Path
) -> None:
    cluster, (release, namespace) = control_plane.cluster, TEAM_A
    rendered = installer.render(None, release, namespace)
    deployment = rendered["Deployment", release]
    budget = {("PodDisruptionBudget", release)}
    jobs = rendered[DEFINITION, "krknchaosjobs.krkn.krkn-chaos.dev"]
    changed = replace(installer, chart=tmp_path / "changed")
    shutil.copytree(installer.chart, changed.chart)
    file = changed.chart / "templates" / "crd-krknchaosjobs.yaml"
    file.write_text(file.read_text().replace("kcj", "kcjob"))

    async def state() -> tuple[int, list[str], set[tuple[str, str]]]:
        found, definition = await cluster.find(deployment), await cluster.find(jobs)
        assert found is not None
        assert definition is not None
        missing = rendered.keys() - await there(cluster, rendered)
        return found["spec"]["replicas"], definition["spec"]["names"]["shortNames"], missing

    installer.install(release, namespace)
    assert await state() == (2, ["kcj"], set())
    await works(control_plane, namespace)

    changed.upgrade(release, namespace, {"replicas": 3, "podDisruptionBudget": {"enabled": False}})
    assert await state() == (3, ["kcjob"], budget)

    installer.run("rollback", release, "1", "--namespace", namespace)
    assert await state() == (2, ["kcj"], set())

    target = await store(cluster, namespace, TARGETS)
    installer.run("uninstall", release, "--namespace", namespace)
    assert await there(cluster, rendered) == definitions(rendered)
    assert (await target.read())["metadata"]["uid"] == target.manifest["metadata"]["uid"]

    # The same release again takes over what was kept.
    installer.install(release, namespace)
    assert await state() == (2, ["kcj"], set())
    assert (await target.read())["metadata"]["uid"] == target.manifest["metadata"]["uid"]


async def test_two_releases_share_nothing_but_the_definitions(
    control_plane: ControlPlane, installer: Chart
) -> None:
    cluster = control_plane.cluster
    first = installer.render(None, *TEAM_A)
    second = installer.render(WITHOUT_CRDS, *TEAM_B)
    assert not first.keys() & {
        key for key in second if key[0].startswith(("Cluster", "Validating"))
    }

    installer.install(*TEAM_A)
    with pytest.raises(HelmError) as clash:
        installer.install(*TEAM_B)
    assert (
        "crds.install: the resource definitions belong to the release krkn-grpc in the namespace "
        "team-a: set crds.install=false"
    ) in str(clash.value)

    installer.install(*TEAM_B, WITHOUT_CRDS)
    await works(control_plane, "team-a")
    await works(control_plane, "team-b")

    installer.run("uninstall", TEAM_A[0], "--namespace", TEAM_A[1])
    assert await there(cluster, first) == definitions(first)
    assert await there(cluster, second) == second.keys()
    await works(control_plane, "team-b")


async def test_a_namespace_has_one_release_and_definitions_may_go_with_it(
    control_plane: ControlPlane, installer: Chart
) -> None:
    release, namespace = TEAM_A
    values = {"crds": {"keep": False}}
    installer.install(release, namespace, values)
    with pytest.raises(HelmError, match=r'in namespace "team-a" exists and cannot be imported'):
        installer.install("chaos", namespace, WITHOUT_CRDS)
    installer.run("uninstall", release, "--namespace", namespace)
    rendered = installer.render(values, release, namespace)

    async def left() -> set[tuple[str, str]]:
        return await there(control_plane.cluster, rendered)

    # The API server looks every five seconds, for up to a minute, if the objects of a kind went.
    await eventually(left, lambda found: not found, seconds=90)
