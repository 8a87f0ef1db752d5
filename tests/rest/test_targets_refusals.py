"""Targets that are refused, through the real Envoy: what is wrong is said, nothing is stored."""

import json
import uuid
from typing import Any

import pytest

from deploy.local.services import REPOSITORY
from krkn_grpc.resources.kubeconfig import MAX_BYTES, from_credentials, render
from tests.rest.test_runs_refusals import UNKNOWN_IDS
from tests.support.inventory import written
from tests.support.requests import (
    canary,
    credentials_target,
    kubeconfig,
    kubeconfig_target,
    token_target,
    unused_url,
)
from tests.support.rest import TARGETS, Rest, assert_invalid
from tests.support.running import Running


def with_user(**user: Any) -> str:
    """A kubeconfig whose user is this."""
    config = json.loads(kubeconfig(unused_url(), "abc"))
    config["users"][0]["user"] = user
    return json.dumps(config)


EXEC = with_user(exec={"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh"})

CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, ["clusterName", "secretType"]),
    "no name": (token_target(clusterName=""), ["clusterName"]),
    "blank name": (token_target(clusterName=" \t"), ["clusterName"]),
    "long name": (token_target(clusterName="a" * 254), ["clusterName"]),
    "name with a control character": (token_target(clusterName="a\0b"), ["clusterName"]),
    "name that is shown backwards": (token_target(clusterName="a\u202eb"), ["clusterName"]),
    "name of two lines": (token_target(clusterName="a\u2028b"), ["clusterName"]),
    "no kind": (token_target(secretType=""), ["secretType"]),
    "unknown kind": (token_target(secretType="Token"), ["secretType"]),
    "token without an address": (token_target(clusterAPIURL=""), ["clusterAPIURL"]),
    "no token": (token_target(token=""), ["token"]),
    "neither": (token_target(token="", clusterAPIURL=""), ["clusterAPIURL", "token"]),
    "no password": (credentials_target(password=""), ["password"]),
    "no user": (credentials_target(username=""), ["username"]),
    "no kubeconfig": (kubeconfig_target(kubeconfig=""), ["kubeconfig"]),
    "not base64": (kubeconfig_target(kubeconfig="!!!"), ["kubeconfig"]),
    "http": (token_target(clusterAPIURL="http://10.0.0.1:6443"), ["clusterAPIURL"]),
    "user in the address": (
        token_target(clusterAPIURL="https://u:p@10.0.0.1:6443"),
        ["clusterAPIURL"],
    ),
    "metadata address": (token_target(clusterAPIURL="https://169.254.169.254"), ["clusterAPIURL"]),
    "metadata address as a number": (
        token_target(clusterAPIURL="https://2852039166"),
        ["clusterAPIURL"],
    ),
    "unspecified address": (token_target(clusterAPIURL="https://0.0.0.0"), ["clusterAPIURL"]),
    "refused address and no name": (
        token_target(clusterName="", clusterAPIURL="https://169.254.169.254"),
        ["clusterName", "clusterAPIURL"],
    ),
    "token with a line break": (token_target(token="abc\n"), ["token"]),
    "password with a line break": (credentials_target(password="abc\r\n"), ["password"]),
    "user with a line break": (credentials_target(username="abc\n"), ["username"]),
    "token that kubectl left out": (
        kubeconfig_target(kubeconfig=with_user(token="REDACTED")),
        ["kubeconfig.users[0].user.token"],
    ),
    "certificate that kubectl left out": (
        kubeconfig_target(
            kubeconfig=with_user(
                **{"client-certificate-data": "DATA+OMITTED", "client-key-data": "DATA+OMITTED"}
            )
        ),
        [
            "kubeconfig.users[0].user.client-certificate-data",
            "kubeconfig.users[0].user.client-key-data",
        ],
    ),
    "CA that is no PEM": (token_target(caBundle="abc"), ["caBundle"]),
    "kubeconfig that runs a program": (
        kubeconfig_target(kubeconfig=EXEC),
        ["kubeconfig.users[0].user.exec"],
    ),
    "kubeconfig that reads a file": (
        kubeconfig_target(kubeconfig=with_user(tokenFile="/etc/passwd")),
        ["kubeconfig.users[0].user.tokenFile"],
    ),
    "kubeconfig of a metadata address": (
        kubeconfig_target(kubeconfig=kubeconfig("https://169.254.169.254", "abc")),
        ["kubeconfig"],
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_target_that_is_not_in_order_is_not_stored(
    rest: Rest, shared_services: Running, case: str
) -> None:
    body, fields = CASES[case]
    before = await written(shared_services.cluster, shared_services.namespace)
    assert_invalid(await rest.post(TARGETS, body), *fields)
    assert await written(shared_services.cluster, shared_services.namespace) <= before


async def test_who_sends_what_kubectl_left_out_is_told_the_way_out(rest: Rest) -> None:
    body = kubeconfig_target(kubeconfig=with_user(token="REDACTED"))
    reply = await rest.post(TARGETS, body)
    assert "kubectl config view --raw --flatten" in reply.body["message"]


MATERIAL = REPOSITORY / "tests/unit/resources/kubeconfig/material"
CA = (MATERIAL / "ca.pem").read_text()
# As many as have, in base64, the size of the largest kubeconfig, but for some hundred bytes.
NEARLY_ALL = CA * (MAX_BYTES * 3 // 4 // len(CA))


def kubeconfig_that_grows() -> str:
    """A kubeconfig that is small enough, and too large with the escapes that it is stored with."""
    few = CA * (len(NEARLY_ALL) // len(CA) - 4)
    text = render(from_credentials(unused_url(), "u", "é" * 1000, few)).replace("\\xE9", "é")
    assert len(text.encode()) < MAX_BYTES
    return text


TOO_LARGE: dict[str, tuple[dict[str, Any], str]] = {
    "CA that its resource could not hold": (token_target(caBundle=NEARLY_ALL + CA), "caBundle"),
    "CA that a kubeconfig has no room for": (
        token_target(caBundle=NEARLY_ALL, token="a" * 1000),
        "caBundle",
    ),
    "kubeconfig": (kubeconfig_target(kubeconfig=kubeconfig_that_grows()), "kubeconfig"),
}


@pytest.mark.parametrize("case", TOO_LARGE)
async def test_what_could_not_be_read_again_is_not_stored(
    rest: Rest, shared_services: Running, case: str
) -> None:
    body, field = TOO_LARGE[case]
    target = await rest.register()
    before = await written(shared_services.cluster, shared_services.namespace)
    for reply in (await rest.post(TARGETS, body), await rest.put(f"{TARGETS}/{target}", body)):
        assert_invalid(reply, field)
        assert "at most 256 KiB" in reply.body["message"]
    assert await written(shared_services.cluster, shared_services.namespace) <= before
    assert (await rest.get(f"{TARGETS}/{target}")).body["clusterName"] != body["clusterName"]


@pytest.mark.parametrize("field", ["clusterAPIUrl", "kubeConfig", "uuid", "ready"])
async def test_a_field_that_is_not_there_is_refused(rest: Rest, field: str) -> None:
    assert_invalid(await rest.post(TARGETS, token_target() | {field: "x"}), field)


async def test_no_refusal_repeats_a_credential(rest: Rest) -> None:
    secret = canary()
    requests = [
        token_target(token=f"{secret} {secret}"),
        token_target(clusterName="", token=secret),
        credentials_target(username=f"{secret}:", password=f"{secret}\n"),
        token_target(clusterAPIURL=f"https://{secret}:{secret}@10.0.0.1"),
        kubeconfig_target(kubeconfig=f"token: {secret}\n\tx"),
        kubeconfig_target(kubeconfig=secret),
        kubeconfig_target(kubeconfig=with_user(token=secret, password=secret)),
        kubeconfig_target(kubeconfig=with_user(**{secret: secret, "token": secret})),
    ]
    for body in requests:
        reply = await rest.post(TARGETS, body)
        assert reply.status == 400, (body, reply)
        assert secret not in reply.text + str(dict(reply.headers)), body


async def test_a_duplicate_does_not_show_the_credential_either(rest: Rest) -> None:
    body = token_target()
    await rest.post(TARGETS, body)
    reply = await rest.post(TARGETS, body)
    assert reply.status == 409
    assert body["token"] not in reply.text


@pytest.mark.parametrize("target", UNKNOWN_IDS)
@pytest.mark.parametrize("method", ["get", "put", "delete"])
async def test_a_target_that_is_not_there(rest: Rest, method: str, target: str) -> None:
    path = f"{TARGETS}/{target}"
    match method:
        case "get":
            reply = await rest.get(path)
        case "put":
            reply = await rest.put(path, token_target())
        case _:
            reply = await rest.delete(path)
    assert (reply.status, reply.body["code"]) == (404, 5), reply


async def test_the_name_of_another_object_is_not_found(
    rest: Rest, shared_services: Running
) -> None:
    """Neither jobs nor Secrets can be reached through a target's path."""
    target = await rest.register()
    [job_id] = await rest.run(target)
    stored = await shared_services.cluster.request(
        "GET",
        f"/apis/krkn.krkn-chaos.dev/v1alpha1/namespaces/{shared_services.namespace}"
        f"/krknoperatortargets/{target}",
    )
    for other in (job_id, stored["spec"]["secretUUID"], str(uuid.uuid4())):
        assert (await rest.get(f"{TARGETS}/{other}")).status == 404
        assert (await rest.delete(f"{TARGETS}/{other}")).status == 404
