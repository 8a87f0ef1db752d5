"""TargetService by typed stubs, and what it stores."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from grpc import StatusCode

from krkn_grpc.resources import kubeconfig as kubeconfigs
from krkn_grpc.resources.kubeconfig import KubeconfigRules, Password, Token
from krkn_grpc.v1 import targets_pb2 as pb
from krkn_grpc.v1.targets_pb2_grpc import TargetServiceStub
from tests.support.custom_objects import TARGETS, Manifest, collection
from tests.support.inventory import written
from tests.support.requests import (
    credentials_target,
    kubeconfig_target,
    token_target,
    unused_name,
)
from tests.support.rpc import refused, told
from tests.support.running import Running
from tests.support.waiting import eventually

HOSTILE = ["", "x", "../../secrets/x", "a/b", "\0", "\N{ROCKET}", str(uuid.uuid4()).upper()]


@pytest.fixture
def targets(shared_services: Running) -> Any:
    """The generated stub."""
    return TargetServiceStub(shared_services.channel)


def a_target(body: dict[str, Any] | None = None, **changes: Any) -> pb.CreateTargetRequest:
    """A registration, by a token if nothing else is said."""
    return ParseDict((body or token_target()) | changes, pb.CreateTargetRequest())


async def stored(services: Running, target: str) -> tuple[Manifest, Manifest]:
    """A target and its Secret, as the API server has them."""
    path = f"{collection(TARGETS, services.namespace)}/{target}"
    found = await services.cluster.request("GET", path)
    secret = f"/api/v1/namespaces/{services.namespace}/secrets/{found['spec']['secretUUID']}"
    return found, await services.cluster.request("GET", secret)


async def test_a_target_is_created_shown_listed_and_deleted(targets: Any) -> None:
    request = a_target()
    created, metadata = await told(targets.CreateTarget(request))
    assert metadata["x-http-code"] == "201"
    assert metadata["krkn-revision"].startswith("krknoperatortargets.")
    shown = await targets.GetTarget(pb.GetTargetRequest(uuid=created.uuid))
    assert (shown.uuid, shown.cluster_name) == (created.uuid, request.cluster_name)
    assert (shown.secret_type, shown.ready) == ("token", False)
    listed = await targets.ListTargets(pb.ListTargetsRequest())
    assert created.uuid in [target.uuid for target in listed.targets]

    deleted, metadata = await told(targets.DeleteTarget(pb.DeleteTargetRequest(uuid=created.uuid)))
    assert deleted.uuid == created.uuid
    assert "x-http-code" not in metadata
    found = await refused(targets.GetTarget(pb.GetTargetRequest(uuid=created.uuid)))
    assert (found.code, found.message) == (StatusCode.NOT_FOUND, "there is no such target")


@pytest.mark.parametrize(
    ("body", "credentials"),
    [
        pytest.param(token_target(), lambda body: Token(body["token"]), id="token"),
        pytest.param(
            credentials_target(),
            lambda body: Password(body["username"], body["password"]),
            id="credentials",
        ),
        pytest.param(kubeconfig_target(), None, id="kubeconfig"),
    ],
)
async def test_what_is_stored(
    shared_services: Running,
    targets: Any,
    body: dict[str, Any],
    credentials: Callable[[dict[str, Any]], object] | None,
) -> None:
    """The format of the Secret is one that other providers of the group read and write."""
    created = await targets.CreateTarget(a_target(body))
    target, secret = await stored(shared_services, created.uuid)

    assert target["metadata"]["name"] == target["spec"]["uuid"] == created.uuid
    assert target["spec"]["clusterName"] == body["clusterName"]
    assert target["spec"]["secretType"] == body["secretType"]
    assert target["spec"]["insecureSkipTLSVerify"] is True
    assert uuid.UUID(secret["metadata"]["name"]).version == 4
    assert secret["metadata"]["labels"] == {"krkn-target-uuid": created.uuid}
    [owner] = secret["metadata"]["ownerReferences"]
    assert owner["uid"] == target["metadata"]["uid"]
    assert not owner.get("blockOwnerDeletion")

    assert list(secret["data"]) == ["kubeconfig"]
    wrapped = json.loads(base64.b64decode(secret["data"]["kubeconfig"]))
    assert list(wrapped) == ["kubeconfig"]
    text = base64.b64decode(wrapped["kubeconfig"]).decode()
    kubeconfig = kubeconfigs.read(text, KubeconfigRules())
    assert kubeconfig.server == target["spec"]["clusterAPIURL"]
    if credentials is not None:
        assert kubeconfig.credentials == credentials(body)
    spelled = json.dumps(target)
    for field in ("token", "username", "password", "kubeconfig"):
        assert body.get(field, "not given") not in spelled


async def test_the_secret_goes_with_the_target(shared_services: Running, targets: Any) -> None:
    created = await targets.CreateTarget(a_target())
    _, secret = await stored(shared_services, created.uuid)
    name = f"secrets/{secret['metadata']['name']}"
    await targets.DeleteTarget(pb.DeleteTargetRequest(uuid=created.uuid))

    async def left() -> set[str]:
        return await written(shared_services.cluster, shared_services.namespace)

    await eventually(left, lambda names: name not in names)


async def test_a_duplicate_is_refused_and_leaves_nothing(
    shared_services: Running, targets: Any
) -> None:
    body = token_target()
    await targets.CreateTarget(a_target(body))
    before = await written(shared_services.cluster, shared_services.namespace)
    by_name = a_target(clusterName=body["clusterName"])
    by_url = a_target(clusterAPIURL=f"{body['clusterAPIURL']}/")
    for request in (by_name, by_url):
        found = await refused(targets.CreateTarget(request))
        assert (found.code, found.reason) == (StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS")
        assert found.violations == []
    assert await written(shared_services.cluster, shared_services.namespace) <= before


async def test_a_registration_that_is_not_in_order(targets: Any) -> None:
    found = await refused(targets.CreateTarget(pb.CreateTargetRequest()))
    assert found.code is StatusCode.INVALID_ARGUMENT
    assert found.violations == ["clusterName", "secretType"]
    assert found.message.endswith("(and 1 more, 2 in all)")


@pytest.mark.parametrize("target", [str(uuid.uuid4()), *HOSTILE])
async def test_a_target_that_is_not_there(targets: Any, target: str) -> None:
    changed = ParseDict(token_target(), pb.UpdateTargetRequest(uuid=target))
    for call in (
        targets.GetTarget(pb.GetTargetRequest(uuid=target)),
        targets.UpdateTarget(changed),
        targets.DeleteTarget(pb.DeleteTargetRequest(uuid=target)),
    ):
        found = await refused(call)
        assert (found.code, found.reason) == (StatusCode.NOT_FOUND, "NOT_FOUND")
        assert found.message == "there is no such target"


async def test_pages_of_targets(targets: Any) -> None:
    created = {(await targets.CreateTarget(a_target())).uuid for _ in range(3)}
    found: list[str] = []
    token = ""
    while True:
        page = await targets.ListTargets(pb.ListTargetsRequest(page_size=2, page_token=token))
        found += [target.uuid for target in page.targets]
        if not (token := page.next_page_token):
            break
    assert len(found) == len(set(found))
    assert created <= set(found)


async def test_long_names_are_refused_and_told_whole(targets: Any) -> None:
    name = (unused_name() + "\N{ROCKET}" * 253)[:253]
    await targets.CreateTarget(a_target(clusterName=name))
    found = await refused(targets.CreateTarget(a_target(clusterName=name)))
    assert found.code is StatusCode.ALREADY_EXISTS
    assert name in found.message
