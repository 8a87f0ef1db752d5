"""Two installations in one cluster share nothing, and one's removal leaves the other whole."""

import re
import shutil
import textwrap

import pytest

from deploy.local.cluster.api import ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.services import REPOSITORY
from tests.support.accounts import acting_as
from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually

FIRST, SECOND = "krkn-operator-system", "team-b"
SERVER = "krkn-grpc-server"


def another(kubectl: Kubectl, namespace: str) -> str:
    """Copy an overlay for another namespace, as docs/operations.md says."""
    overlays = kubectl.folder / "deploy" / "overlays"
    shutil.copytree(overlays / "default", overlays / namespace)
    path = overlays / namespace / "kustomization.yaml"
    line = f"namespace: {namespace}"
    path.write_text(re.sub(r"^namespace: .*", line, path.read_text(), flags=re.MULTILINE))
    return f"deploy/overlays/{namespace}"


async def may_know_its_callers(kubectl: Kubectl, namespace: str) -> bool:
    """Whether the server of this namespace may ask who its callers are."""
    account = f"system:serviceaccount:{namespace}:{SERVER}"
    said = await kubectl.shell(f"kubectl auth can-i create tokenreviews --as {account} || true")
    return said.strip() == "yes"


async def is_guarded(control_plane: ControlPlane, namespace: str) -> bool:
    """Whether the server of this namespace is kept from a Secret that would become a token."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": "a-token",
            "annotations": {"kubernetes.io/service-account.name": "krkn-grpc-controller"},
        },
    }
    async with acting_as(control_plane, namespace, SERVER) as server:
        try:
            path = f"/api/v1/namespaces/{namespace}/secrets"
            await server.request("POST", path, secret, dryRun="All")
        except ClusterError as error:
            return "the server creates only the Secrets of" in str(error)
    return False


@pytest.mark.timeout(240)
async def test_one_is_removed(empty_cluster: ControlPlane, kubectl: Kubectl) -> None:
    async def are_whole() -> dict[str, tuple[bool, bool]]:
        return {
            namespace: (
                await may_know_its_callers(kubectl, namespace),
                await is_guarded(empty_cluster, namespace),
            )
            for namespace in (FIRST, SECOND)
        }

    overlay = another(kubectl, SECOND)
    await kubectl("apply", "--server-side", "-k", "deploy/cluster")
    try:
        await kubectl("apply", "--server-side", "-k", "deploy/overlays/default")
        await kubectl("apply", "--server-side", "-k", overlay)
        whole = (True, True)
        await eventually(are_whole, lambda found: found == {FIRST: whole, SECOND: whole})
        await kubectl("delete", "-k", overlay)
        # In both directions: the one that was there first, and the one that came later.
        assert await may_know_its_callers(kubectl, FIRST)
        assert await is_guarded(empty_cluster, FIRST)
        await kubectl("apply", "--server-side", "-k", overlay)
        await eventually(are_whole, lambda found: found == {FIRST: whole, SECOND: whole})
        await kubectl("delete", "-k", "deploy/overlays/default")
        assert await may_know_its_callers(kubectl, SECOND)
        assert await is_guarded(empty_cluster, SECOND)
        await kubectl("delete", "-k", overlay)
    finally:
        await kubectl("delete", "-k", "deploy/cluster", "--ignore-not-found")


async def test_a_policy_holds_in_the_namespace_of_an_installation_alone(
    empty_cluster: ControlPlane, kubectl: Kubectl
) -> None:
    told = await kubectl("kustomize", "deploy/cluster")
    assert "kind: ValidatingAdmissionPolicyBinding" not in told
    for overlay in ("deploy/overlays/default", "deploy/overlays/mesh"):
        built = await kubectl("kustomize", overlay)
        bindings = built.count("kind: ValidatingAdmissionPolicyBinding")
        assert bindings == built.count(f"kubernetes.io/metadata.name: {FIRST}") == 5


async def test_a_setting_that_changes_rolls_the_pods(kubectl: Kubectl) -> None:
    async def settings() -> set[str]:
        built = await kubectl("kustomize", "deploy/overlays/default")
        return set(re.findall(r"krkn-grpc-settings-\w+", built))

    [before] = await settings()
    path = kubectl.folder / "deploy" / "overlays" / "default" / "kustomization.yaml"
    # From docs/operations.md.
    page = (REPOSITORY / "docs" / "operations.md").read_text()
    [merge] = re.findall(r"^    (configMapGenerator:\n(?:    .*\n)+)", page, re.MULTILINE)
    path.write_text(path.read_text() + textwrap.dedent(f"    {merge}"))
    [after] = await settings()
    assert before != after


async def test_what_a_component_adds_is_named_by_the_namespace_too(kubectl: Kubectl) -> None:
    overlay = another(kubectl, SECOND)
    path = kubectl.folder / overlay / "kustomization.yaml"
    path.write_text(f"{path.read_text()}components:\n- ../../components/adoption\n")
    built = await kubectl("kustomize", overlay)
    assert built.count(f"name: krkn-grpc-adoption.{SECOND}\n") == 3  # role, binding, its roleRef
    assert "KRKN_ADOPT_PROVIDERS" in built
    assert FIRST not in built


async def test_every_object_has_the_standard_labels(kubectl: Kubectl) -> None:
    path = kubectl.folder / another(kubectl, SECOND) / "kustomization.yaml"
    components = sorted((kubectl.folder / "deploy" / "components").iterdir())
    listed = "".join(f"- ../../components/{component.name}\n" for component in components)
    path.write_text(f"{path.read_text()}components:\n{listed}")
    overlays = [f"deploy/overlays/{name}" for name in ("default", "mesh", SECOND)]
    for folder in ("deploy/cluster", *overlays):
        built = await kubectl("kustomize", folder)
        for document in built.split("\n---\n"):
            for label in ("name", "part-of", "version", "component"):
                assert f"    app.kubernetes.io/{label}: " in document, document[:300]
