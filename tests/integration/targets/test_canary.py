"""A credential goes into a Secret, and nowhere else: whatever is asked for, and whatever fails."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict

from deploy.local.cluster.control_plane import ControlPlane
from krkn_grpc.v1 import targets_pb2 as pb
from tests.conftest import StartServices
from tests.integration.probe.probing import AUTHORITY
from tests.integration.targets.canaries import found_in, stored, written
from tests.support.api_proxy import ApiProxy, Call, Cut
from tests.support.requests import (
    a_run,
    canary,
    credentials_target,
    kubeconfig,
    token_target,
    unused_name,
    unused_url,
)
from tests.support.rest import RUNS, TARGETS, Rest
from tests.support.running import Running, Wanted
from tests.support.target_client import Targets

Body = dict[str, Any]
EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}
CERTIFICATE = AUTHORITY.issue("client")
# What stands in the middle of a key is as good a marker as any other.
KEY = CERTIFICATE.key.splitlines()[1][8:48]
# One that stands beside certificates is passed over, and is not even in a Secret.
BESIDE = AUTHORITY.issue("beside").key
BESIDE_KEY = BESIDE.splitlines()[1][8:48]


def with_user(user: Body) -> Body:
    """A target whose kubeconfig has this user."""
    config = json.loads(kubeconfig(unused_url(), "x"))
    config["users"][0]["user"] = user
    text = json.dumps(config)
    return {"clusterName": unused_name(), "secretType": "kubeconfig", "kubeconfig": text}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def good() -> Iterator[Body]:
    """One of each kind of credential; every value that is secret has a canary in it."""
    yield token_target(username=canary(), password=canary(), kubeconfig=canary())
    yield credentials_target(token=canary())
    yield with_user({"token": canary()})
    yield with_user({"username": canary(), "password": canary()})
    yield with_user(
        {
            "client-certificate-data": encoded(CERTIFICATE.certificate),
            "client-key-data": encoded(CERTIFICATE.key),
        }
    )
    yield token_target(caBundle=BESIDE + AUTHORITY.pem + BESIDE)
    whole = with_user({"token": canary()})
    yield whole | {"kubeconfig": encoded(whole["kubeconfig"])}


def bad() -> Iterator[Body]:
    """Requests that are refused for what is in or around a credential."""
    yield token_target(clusterName="")
    yield token_target(token=f"{canary()} {canary()}")
    yield token_target(token=f"{canary()}\r\nX-Header: {canary()}")
    yield token_target(token=canary() * 1000)
    yield token_target(clusterAPIURL=f"https://{canary()}:{canary()}@10.0.0.1")
    yield token_target(clusterAPIURL="https://169.254.169.254")
    yield token_target(secretType=canary())
    yield token_target(caBundle=canary())
    yield token_target(caBundle=CERTIFICATE.key)
    yield credentials_target(username=f"{canary()}:{canary()}")
    yield credentials_target(password=f"{canary()}\n")
    yield credentials_target(password="", token=canary())
    yield with_user({"token": canary(), "username": canary(), "password": canary()})
    yield with_user({"token": canary(), "exec": EXEC | {"command": canary(), "args": [canary()]}})
    yield with_user({"auth-provider": {"name": "oidc", "config": {"id-token": canary()}}})
    yield with_user({"tokenFile": f"/{canary()}"})
    yield with_user({canary(): canary()})
    yield with_user({"client-certificate-data": canary(), "client-key-data": canary()})
    yield with_user({"token": [canary()]})
    broken = "kubeconfig: &x {{{}: !!python/object:{} *x"
    for text in (canary(), broken.format(canary(), canary()), f"a: b\n\tc: '{canary()}"):
        for spelled in (text, encoded(text)):
            yield {"clusterName": "a", "secretType": "kubeconfig", "kubeconfig": spelled}
    yield token_target(tokn=canary())
    yield {"clusterName": {"token": canary()}}


def markers_of(text: str) -> set[str]:
    """The canaries in a request."""
    found = {part[:38] for part in text.split("canary")[1:]}
    return {f"canary{part[:32]}" for part in found}


def markers(*bodies: Body) -> set[str]:
    """All canaries of these requests, also those that are in base64."""
    texts = [json.dumps(body) for body in bodies]
    texts += [
        base64.b64decode(text + "===").decode(errors="replace")
        for body in bodies
        if isinstance(text := body.get("kubeconfig"), str) and ":" not in text
    ]
    return {marker for text in texts for marker in markers_of(text)}


class Said:
    """Everything that the service answered."""

    def __init__(self) -> None:
        self.all: dict[str, bytes] = {}

    def add(self, what: str, text: object) -> None:
        self.all[f"{what} {len(self.all)}"] = repr(text).encode()

    async def rest(self, rest: Rest, method: str, path: str, body: object = None) -> Any:
        call = getattr(rest, method)
        reply = await (call(path) if body is None else call(path, body))
        self.add(f"{method} {path}", (reply.status, dict(reply.headers), reply.text))
        return reply

    async def grpc(self, targets: Targets, body: Body) -> None:
        request = ParseDict(body, pb.CreateTargetRequest(), ignore_unknown_fields=True)
        try:
            self.add("gRPC", await targets.stub.CreateTarget(request))
        except grpc.aio.AioRpcError as error:
            self.add("gRPC", (error, error.details(), error.trailing_metadata()))


@pytest.fixture
async def proxy(control_plane: ControlPlane) -> Any:
    proxy = ApiProxy(control_plane.url, control_plane.ca_pem)
    async with proxy.serving():
        yield proxy


async def test_a_credential_is_nowhere_but_in_its_secret(
    proxy: ApiProxy, start_services: StartServices, tmp_path: Path
) -> None:
    environment = {"KRKN_LOG_LEVEL": "debug", "KRKN_WRITE_SECONDS": "5"}
    services = await start_services(Wanted(environment=environment, kubeconfig_url=proxy.url))
    rest, targets, said = Rest(services.rest), Targets(services.channel), Said()
    created, updated, refused = list(good()), list(good()), list(bad())
    everything = markers(*created, *updated, *refused) | {KEY, BESIDE_KEY}
    assert len(everything) > 50

    uuids = []
    for body in created:
        reply = await said.rest(rest, "post", TARGETS, body)
        assert reply.status == 201, reply
        uuids.append(reply.body["uuid"])
    # Where they have to be, they are; fields of another kind of credential are not even there.
    kept = found_in(await secrets_of(services), markers(*created) | {KEY, BESIDE_KEY})
    for_others = {created[0][field] for field in ("username", "password", "kubeconfig")}
    assert set(kept) == markers(*created) - for_others - {created[1]["token"]} | {KEY}
    await said.rest(rest, "post", RUNS, a_run(*uuids))
    for uuid, body in zip(uuids, updated, strict=True):
        assert (await said.rest(rest, "put", f"{TARGETS}/{uuid}", body)).status == 200
    await asyncio.gather(*(targets.when(uuid, "Unreachable") for uuid in uuids))
    for body in refused:
        assert (await said.rest(rest, "post", TARGETS, body)).status == 400, body
        reply = await said.rest(rest, "put", f"{TARGETS}/{uuids[0]}", body)
        assert reply.status == 400, body
        if "tokn" not in body and isinstance(body["clusterName"], str):
            await said.grpc(targets, body)

    # And when something else goes wrong, the Secret on its way.
    for gate in ("before", "after"):
        setattr(proxy, gate, cut_secrets)
        await asyncio.gather(
            said.rest(rest, "put", f"{TARGETS}/{uuids[0]}", created[0]),
            said.rest(rest, "post", TARGETS, token_target(token=created[0]["token"])),
        )
    for uuid in uuids:
        await said.rest(rest, "get", f"{TARGETS}/{uuid}")
    await said.rest(rest, "get", TARGETS)
    await said.rest(rest, "get", RUNS)

    places = await stored(services.cluster, services.namespace)
    assert {place.rsplit("/")[-1] for place in places} >= {
        "events",
        "krknchaosjobs",
        "krknoperatortargets",
        "leases",
        "pods",
        "secrets",
    }
    for uuid in uuids:
        await said.rest(rest, "delete", f"{TARGETS}/{uuid}")
    looked_at = {
        **{place: text for place, text in places.items() if not place.endswith("/secrets")},
        **said.all,
        **dict(written([tmp_path])),
    }
    assert {Path(place).stem for place in looked_at} >= {"server", "controller", "envoy"}
    leaks = {
        place: found for place, text in looked_at.items() if (found := found_in(text, everything))
    }
    assert not leaks


async def secrets_of(services: Running) -> bytes:
    """What is in the Secrets, decoded as far as it is encoded there."""
    path = f"/api/v1/namespaces/{services.namespace}/secrets"
    texts = []
    for secret in (await services.cluster.request("GET", path))["items"]:
        for value in (secret.get("data") or {}).values():
            outer = base64.b64decode(value)
            texts.append(outer)
            if outer.startswith(b'{"kubeconfig"'):
                texts.append(base64.b64decode(json.loads(outer)["kubeconfig"]))
    return b"\n".join(texts)


async def cut_secrets(call: Call) -> None:
    if str(call) == "POST secrets":
        raise Cut


@pytest.mark.parametrize("around", ["", "a", "ab", "abc"])
def test_a_canary_is_found_in_whatever_form(around: str) -> None:
    marker = canary()
    text = f"{around}{marker}{around[::-1]}"
    for form in (text, encoded(text), text.encode().hex(), encoded(text).rstrip("="), text.upper()):
        assert found_in(f"x{form}x".encode(), [canary(), marker]) == [marker]
