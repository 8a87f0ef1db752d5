"""The Secret of a request, which all providers share: what is ours in it, and what never is."""

import base64
import json
import uuid
from collections.abc import Sequence

import yaml

from deploy.local.cluster.control_plane import ControlPlane
from tests.support.api_proxy import ApiProxy, Call
from tests.support.custom_objects import Manifest
from tests.support.discovery import (
    OURS,
    TOKEN,
    RealCluster,
    assert_untouched,
    kubeconfig_of,
    sections_of,
)
from tests.support.discovery_scene import Scene

KIB = 1024


def text_of(secret: Manifest | None) -> str:
    assert secret is not None
    return base64.b64decode(secret["data"]["managed-clusters"]).decode()


async def test_fault_11_a_kubeconfig_trusts_the_clusters_authority(
    patient: Scene, real_clusters: Sequence[RealCluster]
) -> None:
    """It is no text with holes: a cluster without a CA is one that is not verified, and says so."""
    discovery = patient.discovery
    verified, unverified = real_clusters[0], RealCluster(real_clusters[1].url, "")
    await discovery.target(verified, clusterName="verified")
    await discovery.target(unverified, clusterName='quote" : {null}')
    request = await discovery.request()
    await discovery.completed(request)
    section = (await discovery.sections(request))[OURS]
    assert set(section) == {"verified", 'quote" : {null}'}
    for name, real in (("verified", verified), ('quote" : {null}', unverified)):
        entry = section[name]
        assert set(entry) == {"cluster-name", "cluster-api", "kubeconfig"}
        assert (entry["cluster-name"], entry["cluster-api"]) == (name, real.url)
        written = yaml.safe_load(kubeconfig_of(entry))
        [cluster] = [each["cluster"] for each in written["clusters"]]
        assert cluster["server"] == real.url
        authority = base64.b64decode(cluster.get("certificate-authority-data", "")).decode()
        assert authority.strip() == real.ca_pem.strip()
        assert bool(authority) is not bool(cluster.get("insecure-skip-tls-verify"))
        assert "certificate-authority-data" not in cluster or authority
        assert TOKEN in kubeconfig_of(entry)
    assert patient.shared is not None
    assert TOKEN not in json.dumps(await discovery.read(request))
    assert TOKEN not in patient.shared.child.log.read_text()


async def test_a_target_that_is_not_ready_is_not_offered(
    patient: Scene, real_clusters: Sequence[RealCluster]
) -> None:
    discovery = patient.discovery
    await discovery.target(real_clusters[0], clusterName="ready")
    await discovery.jobs.target(clusterName="unreachable")
    await discovery.jobs.target(clusterName="no credential", admitted=False, with_secret=False)
    request = await discovery.request()
    status = await discovery.completed(request)
    [offered] = status["targetData"][OURS]
    assert (offered["cluster-name"], offered["cluster-api-url"]) == ("ready", real_clusters[0].url)
    assert set((await discovery.sections(request))[OURS]) == {"ready"}


async def test_a_planted_secret_is_not_trusted(hasty: Scene) -> None:
    """Who may create Secrets could have written it before the request was there."""
    discovery = hasty.discovery
    another = await discovery.read(await discovery.request())
    planted = {}
    for owner in (None, another):
        request = str(uuid.uuid4())
        planted[request] = await discovery.plant(request, owner, json.dumps({"acm": {}}))
        await discovery.request(request)
    for request, secret in planted.items():
        await discovery.condition(request, "Contributed", "SecretNotOurs", status="False")
        status = await discovery.completed(request)
        assert OURS not in status.get("targetData", {})
        missing = await discovery.condition(request, "ProvidersMissing", status="True")
        assert OURS in missing["message"]
        assert await discovery.secret(request) == secret


async def owned(scene: Scene, text: str) -> str:
    """Make a request whose Secret has this text before we look at it; return its name."""
    discovery = scene.discovery
    request = await discovery.request()
    await discovery.pending(request)
    await discovery.plant(request, await discovery.read(request), text)
    return request


async def test_fault_5_a_secret_that_cannot_be_read_is_left_alone(hasty: Scene) -> None:
    discovery = hasty.discovery
    await discovery.set_active(OURS, False)
    texts = ["", "no json", "[]", '{"krkn-operator-acm": {}', '"text"', "null"]
    requests = {await owned(hasty, text): text for text in texts}
    await discovery.set_active(OURS, True)
    for request, text in requests.items():
        await discovery.condition(request, "Contributed", "SecretUnreadable", status="False")
        status = await discovery.completed(request)
        assert OURS not in status.get("targetData", {})
        assert text_of(await discovery.secret(request)) == text


def foreign(size: int) -> tuple[str, str]:
    """The text of a Secret with so much of another provider, and the other's part of it."""
    # In a form that no program of ours would give it.
    section = '{ "far":{"kubeconfig" : "' + "A" * size + '","a-field-of-theirs":[1.0 ,2]} }'
    return '{"krkn-operator-acm":' + section + "}", section


async def test_fault_6_a_section_of_another_provider_is_kept_to_the_byte(
    patient: Scene, real_clusters: Sequence[RealCluster]
) -> None:
    """Where both do not fit, our kubeconfigs are left out: our own runs do not need them."""
    discovery = patient.discovery
    await discovery.target(real_clusters[0], clusterName="ready")
    await discovery.set_active(OURS, False)
    sizes = (10, 899 * KIB)
    requests = {size: await owned(patient, foreign(size)[0]) for size in sizes}
    await discovery.set_active(OURS, True)
    for size, request in requests.items():
        fits = size < KIB
        reason = "Provided" if fits else "KubeconfigsLeftOut"
        await discovery.condition(request, "Contributed", reason, status="True")
        status = await discovery.completed(request)
        assert [each["cluster-name"] for each in status["targetData"][OURS]] == ["ready"]
        secret = await discovery.secret(request)
        assert foreign(size)[1] in text_of(secret)
        entry = sections_of(secret)[OURS]["ready"]
        assert bool(entry["kubeconfig"]) is fits
        assert (entry["cluster-name"], entry["cluster-api"]) == ("ready", real_clusters[0].url)


async def test_fault_6_without_any_room_we_do_not_answer(
    hasty: Scene, real_clusters: Sequence[RealCluster]
) -> None:
    discovery = hasty.discovery
    await discovery.target(real_clusters[0])
    await discovery.set_active(OURS, False)
    text, _ = foreign(1000 * KIB)
    request = await owned(hasty, text)
    await discovery.set_active(OURS, True)
    await discovery.condition(request, "Contributed", "SecretTooLarge", status="False")
    status = await discovery.completed(request)
    assert OURS not in status.get("targetData", {})
    assert text_of(await discovery.secret(request)) == text


async def test_a_planted_secret_that_is_removed_is_in_the_way_no_more(patient: Scene) -> None:
    discovery = patient.discovery
    request = str(uuid.uuid4())
    await discovery.plant(request, None, "{}")
    await discovery.request(request)
    await discovery.condition(request, "Contributed", "SecretNotOurs", status="False")
    path = f"/api/v1/namespaces/{discovery.namespace}/secrets/{request}"
    await discovery.cluster.request("DELETE", path)
    await discovery.completed(request)
    await discovery.condition(request, "Contributed", "Provided", status="True")
    assert await discovery.sections(request) == {OURS: {}}


async def test_a_lost_section_is_written_again_with_what_the_request_has(
    patient: Scene, real_clusters: Sequence[RealCluster]
) -> None:
    """A target that came later is not in it: the answer does not change."""
    discovery = patient.discovery
    await discovery.target(real_clusters[0], clusterName="first")
    request = await discovery.request()
    await discovery.completed(request)
    before = await discovery.sections(request)
    assert set(before[OURS]) == {"first"}
    await discovery.target(real_clusters[1], clusterName="second")
    path = f"/api/v1/namespaces/{discovery.namespace}/secrets/{request}"
    await discovery.cluster.request("DELETE", path)
    await discovery.merge_status(request, targetData={"krkn-operator-acm": []})
    assert await discovery.when_sections(request, {OURS}) == before


async def test_fault_5_a_section_that_a_race_has_removed_is_written_again(patient: Scene) -> None:
    """The other provider finds no Secret, then ours, and writes its own over all of it."""
    discovery = patient.discovery
    other = await patient.other(races=True)
    request = await discovery.request()
    await other.did("overwrites", request)
    status = await discovery.completed(request)
    assert_untouched(other, status, await discovery.sections(request))
    await discovery.when_sections(request, {OURS, other.name})


async def test_fault_5_when_another_is_faster_its_section_stays(
    scene: Scene, control_plane: ControlPlane
) -> None:
    """Our creation comes when its Secret is there already: nothing of it is ever lost."""
    discovery = scene.discovery
    other = await scene.other(start=False)
    proxy = ApiProxy(control_plane.url, control_plane.ca_pem)
    await scene.stack.enter_async_context(proxy.serving())
    creations: list[Call] = []

    async def after_the_other(call: Call) -> None:
        if str(call) == "POST secrets":
            if not creations:
                other.start_soon()
            creations.append(call)
            await other.did("secret")

    proxy.before = after_the_other
    async with discovery.jobs.watch() as watch:
        await scene.controller(url=proxy.url)
        request = await discovery.request()
        status = await discovery.completed(request)
        sections = await discovery.sections(request)
        assert_untouched(other, status, sections)
        assert set(sections) == {OURS, other.name}
        for version in watch.versions_of("secrets", request):
            assert other.name in sections_of(version)
    assert creations, "it was to try"
