"""Targets through the real Envoy: registered, shown, replaced, removed, and unique."""

import asyncio
import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from deploy.local.services import REPOSITORY
from krkn_grpc.resources.ids import is_id
from krkn_grpc.resources.kubeconfig import SECRET_KEY, unwrap
from tests.support.custom_objects import collection
from tests.support.inventory import written
from tests.support.requests import (
    credentials_target,
    kubeconfig,
    kubeconfig_target,
    token_target,
    unused_name,
    unused_url,
)
from tests.support.rest import TARGETS, Reply, Rest, assert_error, assert_invalid
from tests.support.running import Running
from tests.support.waiting import eventually

KUBECONFIGS = REPOSITORY / "tests/unit/resources/kubeconfig/good"
KINDS = [
    pytest.param(token_target, id="token"),
    pytest.param(credentials_target, id="credentials"),
    pytest.param(kubeconfig_target, id="kubeconfig"),
]
SHOWN = {
    *("uuid", "clusterName", "clusterAPIURL", "secretType", "ready", "createdAt"),
    *("reason", "message", "labels", "serverVersion", "provider"),
}
Maker = Callable[..., dict[str, Any]]


def credentials_of(body: dict[str, Any]) -> list[str]:
    """The texts of a request that no reply may hold."""
    return [
        body[field] for field in ("kubeconfig", "token", "username", "password") if field in body
    ]


async def get(rest: Rest, target: str) -> Reply:
    return await rest.get(f"{TARGETS}/{target}")


@pytest.mark.parametrize("new", KINDS)
async def test_a_target_is_created_shown_listed_and_deleted(rest: Rest, new: Maker) -> None:
    body = new()
    replies = [await rest.post(TARGETS, body)]
    assert replies[-1].status == 201
    target = replies[-1].body["uuid"]
    assert is_id(target)
    assert replies[-1].body == {"uuid": target, "message": "Target created"}

    replies.append(await get(rest, target))
    shown = replies[-1].body
    assert replies[-1].status == 200
    assert set(shown) - {"lastChecked"} == SHOWN
    assert shown["uuid"] == target
    assert shown["clusterName"] == body["clusterName"]
    assert shown["secretType"] == body["secretType"]
    assert shown["ready"] is False
    assert shown["createdAt"].endswith("Z")
    if "clusterAPIURL" in body:
        assert shown["clusterAPIURL"] == body["clusterAPIURL"]

    replies.append(await rest.get(TARGETS))
    assert target in [each["uuid"] for each in replies[-1].body["targets"]]

    replies.append(await rest.delete(f"{TARGETS}/{target}"))
    assert (replies[-1].status, replies[-1].body) == (
        200,
        {"uuid": target, "message": "Target deleted"},
    )
    assert_error(await get(rest, target), 404, 5, "NOT_FOUND")
    assert_error(await rest.delete(f"{TARGETS}/{target}"), 404, 5, "NOT_FOUND")
    assert target not in (await rest.get(TARGETS)).text
    for reply in replies:
        said = reply.text + str(dict(reply.headers))
        assert all(secret not in said for secret in credentials_of(body))


async def test_the_url_of_a_kubeconfig_is_taken_from_its_current_context(rest: Rest) -> None:
    url, other = unused_url(), unused_url()
    config = json.loads(kubeconfig(url, "abc"))
    elsewhere = {"name": "other", "cluster": {"server": other}}
    config["clusters"].insert(0, elsewhere)
    body = kubeconfig_target(kubeconfig=json.dumps(config), clusterAPIURL=other)
    target = (await rest.post(TARGETS, body)).body["uuid"]
    assert (await get(rest, target)).body["clusterAPIURL"] == url


async def test_the_name_is_trimmed_and_the_url_kept_as_it_was_given(rest: Rest) -> None:
    name, url = unused_name(), unused_url(443).replace("https", "HTTPS") + "/"
    target = await rest.register(clusterName=f"  {name}\n", clusterAPIURL=url)
    shown = (await get(rest, target)).body
    assert (shown["clusterName"], shown["clusterAPIURL"]) == (name, url)


async def test_a_cluster_that_cannot_be_reached_is_not_ready_and_says_why(rest: Rest) -> None:
    target = await rest.register()
    shown = await eventually(lambda: get(rest, target), lambda reply: "lastChecked" in reply.body)
    assert (shown.body["ready"], shown.body["reason"]) == (False, "Unreachable")
    assert shown.body["message"]


async def test_two_targets_never_share_a_name(rest: Rest, shared_services: Running) -> None:
    name = unused_name()
    first = await rest.register(clusterName=name)
    before = await written(shared_services.cluster, shared_services.namespace)
    reply = await rest.post(TARGETS, token_target(clusterName=f" {name} "))
    body = assert_error(reply, 409, 6, "ALREADY_EXISTS")
    assert name in body["message"]
    assert await written(shared_services.cluster, shared_services.namespace) <= before
    assert (await get(rest, first)).status == 200


async def test_names_are_compared_exactly(rest: Rest) -> None:
    name = unused_name()
    await rest.register(clusterName=name)
    await rest.register(clusterName=name.upper())


@pytest.mark.parametrize(
    "spell",
    [
        pytest.param(lambda host: f"https://{host}", id="the same"),
        pytest.param(lambda host: f"https://{host}/", id="slash at the end"),
        pytest.param(lambda host: f"https://{host}:443", id="default port"),
        pytest.param(lambda host: f"HTTPS://{host}", id="case of the scheme"),
        pytest.param(lambda host: f"https://[::ffff:{host}]:443/", id="mapped into IPv6"),
    ],
)
async def test_two_targets_never_share_a_url_however_it_is_spelled(
    rest: Rest, shared_services: Running, spell: Callable[[str], str]
) -> None:
    url = unused_url(443).removesuffix(":443")
    first = await rest.register(clusterAPIURL=url)
    before = await written(shared_services.cluster, shared_services.namespace)
    reply = await rest.post(
        TARGETS, token_target(clusterAPIURL=spell(url.removeprefix("https://")))
    )
    assert_error(reply, 409, 6, "ALREADY_EXISTS")
    assert await written(shared_services.cluster, shared_services.namespace) <= before
    assert (await get(rest, first)).status == 200


async def test_host_names_are_compared_without_their_case(rest: Rest) -> None:
    host = f"{unused_name()}.example"
    await rest.register(clusterAPIURL=f"https://{host}:6443")
    reply = await rest.post(TARGETS, token_target(clusterAPIURL=f"https://{host.upper()}:6443"))
    assert_error(reply, 409, 6, "ALREADY_EXISTS")


async def test_a_kubeconfig_and_a_token_for_one_url_are_duplicates(rest: Rest) -> None:
    url = unused_url()
    await rest.register(clusterAPIURL=url)
    reply = await rest.post(TARGETS, kubeconfig_target(kubeconfig=kubeconfig(url, "abc")))
    assert_error(reply, 409, 6, "ALREADY_EXISTS")


async def test_of_many_that_want_one_name_at_once_one_gets_it(rest: Rest) -> None:
    name = unused_name()
    replies = await asyncio.gather(
        *(rest.post(TARGETS, token_target(clusterName=name)) for _ in range(8))
    )
    assert sorted(reply.status for reply in replies) == [201] + [409] * 7
    listed = (await rest.get(TARGETS)).body["targets"]
    assert len([target for target in listed if target["clusterName"] == name]) == 1


async def test_a_deleted_targets_name_and_url_are_free_at_once(rest: Rest) -> None:
    body = token_target()
    for _ in range(3):
        reply = await rest.post(TARGETS, body)
        assert reply.status == 201
        assert (await rest.delete(f"{TARGETS}/{reply.body['uuid']}")).status == 200


async def test_targets_are_listed_newest_first_also_within_a_second(rest: Rest) -> None:
    made = [await rest.register() for _ in range(6)]
    listed = [
        target["uuid"] for target in (await rest.get(f"{TARGETS}?pageSize=1000")).body["targets"]
    ]
    assert [uuid for uuid in listed if uuid in made] == made[::-1]


async def test_an_update_replaces_all_but_the_uuid(rest: Rest) -> None:
    old = token_target()
    target = (await rest.post(TARGETS, old)).body["uuid"]
    new = credentials_target()
    reply = await rest.put(f"{TARGETS}/{target}", new)
    assert (reply.status, reply.body) == (200, {"uuid": target, "message": "Target updated"})
    shown = (await get(rest, target)).body
    for field in ("clusterName", "clusterAPIURL", "secretType"):
        assert shown[field] == new[field]
    assert (await rest.post(TARGETS, old)).status == 201, "the old name and URL are free"
    for secret in credentials_of(old) + credentials_of(new):
        assert secret not in reply.text + str(shown)


async def test_an_update_cannot_take_what_another_target_has(rest: Rest) -> None:
    mine, other = token_target(), token_target()
    target = (await rest.post(TARGETS, mine)).body["uuid"]
    await rest.post(TARGETS, other)
    before = (await get(rest, target)).body
    for field in ("clusterName", "clusterAPIURL"):
        reply = await rest.put(f"{TARGETS}/{target}", mine | {field: other[field]})
        assert_error(reply, 409, 6, "ALREADY_EXISTS")
    after = (await get(rest, target)).body
    for field in ("clusterName", "clusterAPIURL", "secretType", "createdAt"):
        assert after[field] == before[field]


async def test_an_update_with_the_same_name_and_url_is_no_duplicate(rest: Rest) -> None:
    body = token_target()
    target = (await rest.post(TARGETS, body)).body["uuid"]
    for _ in range(2):
        assert (await rest.put(f"{TARGETS}/{target}", body)).status == 200


async def test_an_update_of_a_target_that_is_not_there(rest: Rest) -> None:
    reply = await rest.put(f"{TARGETS}/{uuid.uuid4()}", token_target())
    assert_error(reply, 404, 5, "NOT_FOUND")


async def test_an_update_that_is_not_in_order_changes_nothing(rest: Rest) -> None:
    target = await rest.register()
    before = (await get(rest, target)).body
    reply = await rest.put(f"{TARGETS}/{target}", token_target(token=""))
    assert_invalid(reply, "token")
    after = (await get(rest, target)).body
    for field in ("clusterName", "clusterAPIURL", "secretType"):
        assert after[field] == before[field]


# With ideographic and no-break space, zero-width non-joiner and joiner, and soft hyphen.
UNUSUAL = [
    "本番\u3000クラスタ",
    "prod\xa0: Paris",
    "خوش\u200cد",
    "\U0001f468\u200d\U0001f680",
    "a\xadb",
]


@pytest.mark.parametrize("name", UNUSUAL)
async def test_a_name_may_have_any_characters_that_can_be_shown(rest: Rest, name: str) -> None:
    unique = f"{name} {uuid.uuid4().hex}"
    target = await rest.register(clusterName=f"\u3000\xa0{unique}\n")
    assert (await get(rest, target)).body["clusterName"] == unique


async def test_a_kubeconfig_may_name_one_file_for_certificate_and_key(
    rest: Rest, shared_services: Running
) -> None:
    submitted = (KUBECONFIGS / "certificate-and-key-in-one.yaml").read_text()
    submitted = submitted.replace("https://api.example.com:6443", unused_url())
    reply = await rest.post(TARGETS, kubeconfig_target(kubeconfig=submitted))
    assert reply.status == 201, reply
    stored = await stored_kubeconfig(shared_services, reply.body["uuid"])
    [user] = yaml.safe_load(stored)["users"]
    certificate, key = (
        base64.b64decode(user["user"][f"client-{part}-data"]).decode()
        for part in ("certificate", "key")
    )
    assert "PRIVATE KEY" not in certificate
    assert "CERTIFICATE" not in key


@pytest.mark.parametrize("file", ["three-dashes.yaml", "dates.yaml", "byte-order-mark.yaml"])
async def test_what_kubectl_takes_is_taken(rest: Rest, file: str) -> None:
    submitted = (KUBECONFIGS / file).read_text()
    submitted = submitted.replace("https://api.example.com:6443", unused_url())
    reply = await rest.post(TARGETS, kubeconfig_target(kubeconfig=submitted))
    assert reply.status == 201, reply


async def stored_kubeconfig(services: Running, target: str) -> str:
    """The text that the target's Secret holds."""
    stored = await services.cluster.request(
        "GET", f"{collection('krknoperatortargets', services.namespace)}/{target}"
    )
    path = f"/api/v1/namespaces/{services.namespace}/secrets/{stored['spec']['secretUUID']}"
    secret = await services.cluster.request("GET", path)
    return unwrap(base64.b64decode(secret["data"][SECRET_KEY]).decode())
