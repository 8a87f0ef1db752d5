"""What a provider offers and what is not adopted, or not ready: nothing is taken on trust."""

import base64
import json
from typing import Any

import pytest
import yaml

from deploy.local.cluster.control_plane import ControlPlane
from tests.integration.adoption.conftest import Foreign
from tests.integration.adoption.other_provider import OtherProvider
from tests.support.custom_objects import MERGE, TARGETS, collection
from tests.support.jobs import Jobs
from tests.support.requests import canary, unused_name
from tests.support.running import Running
from tests.support.target_client import Targets


def with_user(text: str, **user: Any) -> str:
    """The kubeconfig with another user."""
    config = yaml.safe_load(text)
    config["users"][0]["user"] = user
    return json.dumps(config)


def with_server(text: str, url: str) -> str:
    """The kubeconfig with another server."""
    config = yaml.safe_load(text)
    config["clusters"][0]["cluster"]["server"] = url
    return json.dumps(config)


EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh"}


async def test_bad_kubeconfigs_are_refused_and_good_ones_adopted(
    provider: OtherProvider, foreign: Foreign
) -> None:
    good = await foreign.kubeconfig()
    bad = {
        unused_name(): text
        for text in (
            with_user(good, exec=EXEC),
            with_user(good, tokenFile="/var/run/secrets/kubernetes.io/serviceaccount/token"),
            with_server(good, "https://169.254.169.254"),
            with_server(good, "http://127.0.0.1:6443"),
            "no kubeconfig",
            "",
        )
    }
    names = {" padded": good, "shown\u202ebackwards": good}
    await provider.answer({**bad, **names, (name := unused_name()): good})
    await provider.ready(name)
    assert [each["spec"]["clusterName"] for each in await provider.targets()] == [name]


async def test_one_bad_entry_hurts_no_other(provider: OtherProvider, foreign: Foreign) -> None:
    name, text = unused_name(), await foreign.kubeconfig()
    encoded = base64.b64encode(text.encode()).decode()
    section = {
        "a list": [],
        "another name": {"cluster-name": "not this", "kubeconfig": encoded},
        name: {"cluster-name": name, "kubeconfig": encoded},
    }
    request = await provider.request()
    # What others have in there is not even read.
    content = {provider.name: section, "another-provider": "no section"}
    await provider.write_secret(request, content)
    await provider.complete(request, dict.fromkeys(section, text))
    await provider.ready(name)
    assert len(await provider.targets()) == 1


@pytest.mark.parametrize("owners", ["none", "another uid", "not the controller"])
async def test_a_secret_that_is_not_the_requests_own(
    provider: OtherProvider, foreign: Foreign, owners: str
) -> None:
    planted, name = unused_name(), unused_name()
    request = await provider.request()
    owner = {
        "apiVersion": request["apiVersion"],
        "kind": request["kind"],
        "name": request["metadata"]["name"],
        "uid": request["metadata"]["uid"],
        "controller": owners != "not the controller",
    }
    if owners == "another uid":
        other = await provider.request()
        owner |= {"name": other["metadata"]["name"], "uid": other["metadata"]["uid"]}
    text = await foreign.kubeconfig()
    await provider.answer(
        {planted: text}, request, ownerReferences=[] if owners == "none" else [owner]
    )
    await provider.answer({name: text})
    await provider.ready(name)
    assert [each["spec"]["clusterName"] for each in await provider.targets()] == [name]


async def test_a_name_that_another_target_has(
    provider: OtherProvider, foreign: Foreign, adopting: Running
) -> None:
    name, targets = unused_name(), Targets(adopting.channel)
    uuid = await targets.create(clusterName=name)
    try:
        await provider.answer({name: await foreign.kubeconfig()})
        await provider.not_ready(name, "DuplicateName", "Admitted")
    finally:
        await targets.delete(uuid)
    await provider.ready(name)


async def test_an_address_that_another_target_has_with_another_authority(
    provider: OtherProvider, foreign: Foreign, adopting: Running
) -> None:
    name, port = unused_name(), await foreign.port()
    targets = Targets(adopting.channel)
    uuid = await targets.create(clusterAPIURL=f"https://127.0.0.1:{port}/")
    try:
        await provider.answer({name: foreign.at(port)})
        await provider.not_ready(name, "DuplicateAPIURL", "Admitted")
    finally:
        await targets.delete(uuid)


async def test_a_cluster_that_is_a_target_already(
    provider: OtherProvider, foreign: Foreign, adopting: Running
) -> None:
    same, other, port = unused_name(), unused_name(), await foreign.port()
    targets = Targets(adopting.channel)
    uuid = await targets.create(
        clusterAPIURL=f"https://127.0.0.1:{port}/", caBundle=foreign.control_plane.ca_pem
    )
    try:
        await provider.answer({same: foreign.at(port), other: await foreign.kubeconfig()})
        await provider.ready(other)
        assert await provider.find(same) is None
    finally:
        await targets.delete(uuid)


async def test_the_cluster_that_we_run_in(
    provider: OtherProvider, control_plane: ControlPlane, foreign: Foreign, jobs: Jobs
) -> None:
    hub, other = unused_name(), unused_name()
    text = control_plane.admin_kubeconfig.read_text()
    await provider.answer({hub: text, other: await foreign.kubeconfig()})
    target = await provider.not_ready(hub, "OwnCluster")
    await provider.ready(other)
    job = await jobs.job(target)
    assert (await jobs.finished(job))["reason"] == "OwnCluster"
    assert await jobs.pod(job) is None


async def test_a_cluster_that_does_not_say_which_one_it_is(
    provider: OtherProvider, foreign: Foreign, jobs: Jobs, powerless_token: str
) -> None:
    name, port = unused_name(), await foreign.port()
    await provider.answer({name: foreign.at(port, powerless_token)})
    target = await provider.not_ready(name, "IdentityUnknown")
    job = await jobs.job(target)
    await jobs.waiting(job, "IdentityUnknown")
    assert await jobs.pod(job) is None
    # A newer credential that may ask lets the job that waits go on: it has the same Secret.
    await provider.answer({name: foreign.at(port)})
    assert (await jobs.finished(job))["phase"] == "Succeeded"


async def test_no_job_starts_on_a_cluster_that_was_never_reached(
    provider: OtherProvider, foreign: Foreign, jobs: Jobs
) -> None:
    name = unused_name()
    await provider.answer({name: foreign.at(1)})
    target = await provider.not_ready(name, "Unreachable")
    job = await jobs.job(target)
    await jobs.waiting(job, "Unreachable")
    assert await jobs.pod(job) is None
    await jobs.stop(job)
    await jobs.finished(job)


async def test_an_object_that_has_the_uuid_is_not_touched(
    provider: OtherProvider, foreign: Foreign
) -> None:
    squatted, other = unused_name(), unused_name()
    uuid, text = provider.uuid(squatted), await foreign.kubeconfig()
    manifest = {
        "apiVersion": "krkn.krkn-chaos.dev/v1alpha1",
        "kind": "KrknOperatorTarget",
        "metadata": {"name": uuid},
        "spec": {
            "uuid": uuid,
            "clusterName": canary(),
            "clusterAPIURL": "https://127.9.9.9:6443",
            "secretType": "kubeconfig",
            "secretUUID": uuid,
        },
    }
    path = collection(TARGETS, provider.namespace)
    made = await provider.cluster.request("POST", path, manifest)
    try:
        await provider.answer({squatted: text, other: await foreign.kubeconfig()})
        await provider.ready(other)
        seen = await provider.cluster.request("GET", f"{path}/{uuid}")
        assert (seen["spec"], seen["metadata"].get("labels")) == (made["spec"], None)
    finally:
        await provider.cluster.request("DELETE", f"{path}/{uuid}")


async def test_a_secret_of_another_target_is_not_written(
    provider: OtherProvider, foreign: Foreign
) -> None:
    """Someone lets an adopted target name the Secret of another one."""
    name, victim, port = unused_name(), unused_name(), await foreign.port()
    mine, other = foreign.at(port), await foreign.kubeconfig()
    await provider.answer({name: mine, victim: other})
    target, spared = await provider.ready(name), await provider.ready(victim)
    before = await provider.secret_of(spared)
    path = f"{collection(TARGETS, provider.namespace)}/{target['metadata']['name']}"
    change = {"spec": {"secretUUID": spared["spec"]["secretUUID"]}}
    await provider.cluster.request("PATCH", path, change, MERGE)
    await provider.not_ready(name, "InvalidKubeconfig")
    await provider.answer({name: mine})
    await provider.ready(name)
    after = await provider.secret_of(spared)
    assert after["data"] == before["data"]
    assert after["metadata"]["ownerReferences"] == before["metadata"]["ownerReferences"]


async def test_providers_that_are_not_named_are_not_adopted(
    provider: OtherProvider, foreign: Foreign
) -> None:
    stranger = OtherProvider(provider.cluster, provider.namespace, "a-stranger")
    strange, name = unused_name(), unused_name()
    await stranger.register()
    await stranger.answer({strange: await foreign.kubeconfig()})
    await provider.answer({name: await foreign.kubeconfig()})
    await provider.ready(name)
    assert await stranger.targets() == []
    await stranger.forget()
