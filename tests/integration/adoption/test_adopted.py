"""A cluster of another provider becomes a target, and stays what its provider says it is."""

import asyncio
import base64
import json

import yaml
from grpc import StatusCode

from krkn_grpc.v1 import targets_pb2 as pb
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub
from tests.integration.adoption.conftest import Foreign
from tests.integration.adoption.other_provider import OtherProvider, is_ready
from tests.support.custom_objects import TARGETS, Manifest, collection
from tests.support.jobs import Jobs
from tests.support.requests import token_target, unused_name
from tests.support.rest import TARGETS as TARGETS_PATH
from tests.support.rest import Rest
from tests.support.rpc import refused
from tests.support.running import Running
from tests.support.runs import Runs
from tests.support.target_client import Targets
from tests.support.targets import condition
from tests.support.waiting import eventually


def content(secret: Manifest) -> str:
    """The kubeconfig in a target's Secret."""
    wrapped = json.loads(base64.b64decode(secret["data"]["kubeconfig"]))
    return base64.b64decode(wrapped["kubeconfig"]).decode()


def token_in(secret: Manifest) -> str:
    [user] = yaml.safe_load(content(secret))["users"]
    token: str = user["user"]["token"]
    return token


async def test_it_is_probed_and_runs(
    provider: OtherProvider, foreign: Foreign, adopting: Running
) -> None:
    name, port = unused_name(), await foreign.port()
    await provider.answer({name: foreign.at(port)})
    target = await provider.ready(name)
    spec = target["spec"]
    assert target["metadata"]["labels"] == {"krkn.krkn-chaos.dev/provider": provider.name}
    assert (spec["clusterName"], spec["secretType"]) == (name, "kubeconfig")
    assert spec["clusterAPIURL"] == f"https://127.0.0.1:{port}"
    secret = await provider.secret_of(target)
    assert secret["metadata"]["labels"] == {"krkn-target-uuid": provider.uuid(name)}
    [owner] = secret["metadata"]["ownerReferences"]
    assert owner["uid"] == target["metadata"]["uid"]
    assert list(secret["data"]) == ["kubeconfig"]
    # Written by us: no text of the provider's passes.
    assert yaml.safe_load(content(secret))["current-context"] == "target"

    runs = Runs(adopting.channel)
    [job] = await runs.run(provider.uuid(name))
    assert (await runs.when(job)).status == "Succeeded"
    await Targets(adopting.channel).when_ready(provider.uuid(name))


async def test_a_newer_answer_renews_the_credential_in_place(
    provider: OtherProvider, foreign: Foreign, powerless_token: str
) -> None:
    name, port = unused_name(), await foreign.port()
    await provider.answer({name: foreign.at(port, "no-longer-valid")})
    first = await provider.not_ready(name, "Unauthorized")
    await provider.answer({name: foreign.at(port)})
    second = await provider.ready(name)
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert second["spec"] == first["spec"]
    assert second["metadata"]["generation"] == first["metadata"]["generation"]
    assert token_in(await provider.secret_of(second)) == foreign.admin


async def test_an_older_answer_changes_nothing(provider: OtherProvider, foreign: Foreign) -> None:
    name, port = unused_name(), await foreign.port()
    older, newer = await provider.request(), await provider.request()
    await provider.answer({name: foreign.at(port)}, newer)
    before = await provider.ready(name)
    other = unused_name()
    await provider.answer({other: foreign.at(port, "old")}, older)
    # One that comes after it is seen to be worked on.
    await provider.answer({name: foreign.at(port), other: await foreign.kubeconfig()})
    await provider.ready(other)
    after = await provider.ready(name)
    assert after["spec"] == before["spec"]
    assert token_in(await provider.secret_of(after)) == foreign.admin
    moments = [condition(each, "Ready")["lastTransitionTime"] for each in (before, after)]
    assert moments[0] == moments[1], "it was not ready in between"


async def test_a_moved_cluster(provider: OtherProvider, foreign: Foreign, jobs: Jobs) -> None:
    name = unused_name()
    await provider.answer({name: await foreign.kubeconfig()})
    first = await provider.ready(name)
    port = await foreign.port()
    await provider.answer({name: foreign.at(port)})
    moved = await eventually(
        lambda: provider.ready(name),
        lambda each: each["spec"]["clusterAPIURL"].endswith(f":{port}"),
    )
    assert moved["metadata"]["uid"] == first["metadata"]["uid"]
    # A run that was asked for at the former address does not go to another one.
    job = await jobs.job(first)
    assert (await jobs.finished(job))["reason"] == "TargetChanged"


async def test_it_is_gone_and_comes_back(
    provider: OtherProvider, foreign: Foreign, jobs: Jobs, adopting: Running
) -> None:
    name, port = unused_name(), await foreign.port()
    await provider.answer({name: foreign.at(port)})
    target = await provider.ready(name)
    await provider.answer({})
    gone = await provider.not_ready(name, "ProviderGone")
    assert gone["spec"] == target["spec"]
    assert gone["status"]["ready"] is False
    job = await jobs.job(target)
    assert (await jobs.finished(job))["reason"] == "ProviderGone"
    assert await jobs.pod(job) is None
    [refusal] = (await Runs(adopting.channel).ask(provider.uuid(name))).jobs
    assert (refusal.success, refusal.job_id) == (False, "")

    await provider.answer({name: foreign.at(port)})
    back = await provider.ready(name)
    assert back["metadata"]["uid"] == target["metadata"]["uid"]
    assert (await jobs.finished(await jobs.job(back)))["phase"] == "Succeeded"


async def test_a_cluster_without_a_kubeconfig_keeps_its_former_one(
    provider: OtherProvider, foreign: Foreign
) -> None:
    name, never = unused_name(), unused_name()
    await provider.answer({name: await foreign.kubeconfig()})
    await provider.ready(name)
    last = unused_name()
    await provider.answer({name: None, never: None, last: await foreign.kubeconfig()})
    await provider.ready(last)
    target = await provider.ready(name)
    assert token_in(await provider.secret_of(target)) == foreign.admin
    assert await provider.find(never) is None


async def test_one_that_an_administrator_deletes_comes_back(
    provider: OtherProvider, foreign: Foreign
) -> None:
    name = unused_name()
    await provider.answer({name: await foreign.kubeconfig()})
    first = await provider.ready(name)
    path = f"{collection(TARGETS, provider.namespace)}/{provider.uuid(name)}"
    await provider.cluster.request("DELETE", path)
    second = await eventually(
        lambda: provider.find(name),
        lambda each: (
            each and each["metadata"]["uid"] != first["metadata"]["uid"] and is_ready(each)
        ),
    )
    assert second is not None
    assert second["spec"]["secretUUID"] != first["spec"]["secretUUID"]


async def test_it_is_only_read_over_the_api(
    provider: OtherProvider, foreign: Foreign, adopting: Running
) -> None:
    name = unused_name()
    await provider.answer({name: await foreign.kubeconfig()})
    before = await provider.ready(name)
    uuid, rest = provider.uuid(name), Rest(adopting.rest)
    path = f"{TARGETS_PATH}/{uuid}"
    await eventually(lambda: rest.get(path), lambda reply: reply.status == 200)
    assert (await rest.get(path)).body["clusterName"] == name
    for reply in (
        await rest.put(path, token_target()),
        await rest.delete(path),
        await rest.patch(path, {"labels": {"team": "a"}}),
        await rest.patch(path, {"clusterName": unused_name()}),
    ):
        assert (reply.status, reply.body["code"]) == (409, 9)
        assert reply.body["details"][0]["reason"] == "ADOPTED"
        assert "adopted" in reply.body["message"]
        assert "x-http-code" not in reply.headers

    stub = TargetServiceStub(adopting.channel)
    found = await refused(stub.DeleteTarget(pb.DeleteTargetRequest(uuid=uuid)))
    assert (found.code, found.reason) == (StatusCode.FAILED_PRECONDITION, "ADOPTED")
    after = await provider.find(name)
    assert after is not None
    assert after["spec"] == before["spec"]
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    shown = (await rest.get(path)).body
    assert (shown["provider"], shown["labels"]) == (provider.name, {})


async def test_it_can_be_checked_on_request(
    provider: OtherProvider, foreign: Foreign, adopting: Running
) -> None:
    name = unused_name()
    await provider.answer({name: await foreign.kubeconfig()})
    await provider.ready(name)
    targets = Targets(adopting.channel)
    before = await targets.when_ready(provider.uuid(name))
    await asyncio.sleep(1.1)  # times of checks are whole seconds
    await targets.check(before.uuid)
    after = await eventually(
        lambda: targets.get(before.uuid), lambda found: found.last_checked > before.last_checked
    )
    assert after.ready
    # Its provider's next answer is copied as before.
    port = await foreign.port()
    await provider.answer({name: foreign.at(port)})
    await eventually(
        lambda: targets.get(before.uuid), lambda found: found.cluster_api_url.endswith(f":{port}")
    )
