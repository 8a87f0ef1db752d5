"""A provider's section of a request's Secret, as untrusted input."""

import base64
import json
from typing import Any

import pytest

from controller.adoption.section import Untrusted, read
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.core import Secret
from krkn_grpc.resources.meta import ObjectMeta, OwnerReference
from krkn_grpc.resources.target_request import SECRET_KEY
from tests.support.requests import canary, kubeconfig

UID, PROVIDER = "uid-of-request", "acm"
RULES = AddressRules()
TEXT = kubeconfig("https://10.0.0.1:6443", "token")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def entry(text: str = TEXT, **changes: Any) -> dict[str, Any]:
    return {"cluster-name": "prod", "cluster-api": "", "kubeconfig": encoded(text)} | changes


def owner(uid: str, *, is_controller: bool = True) -> OwnerReference:
    return OwnerReference(api_version="v", kind="k", name="n", uid=uid, controller=is_controller)


def a_secret(content: Any, *owners: OwnerReference, raw: str | None = None) -> Secret:
    text = json.dumps(content) if raw is None else raw
    return Secret(
        metadata=ObjectMeta(name="n", owner_references=list(owners) or [owner(UID)]),
        data={SECRET_KEY: encoded(text)},
    )


def test_a_good_one() -> None:
    secret = a_secret({PROVIDER: {"prod": entry(), "unlisted": entry()}, "other": "unread"})
    found = read(secret, UID, PROVIDER, ["prod"], RULES)
    assert list(found) == ["prod"]
    assert found["prod"].kubeconfig is not None
    assert found["prod"].kubeconfig.server == "https://10.0.0.1:6443"


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(None, id="absent"),
        pytest.param(
            a_secret({PROVIDER: {}}, owner("uid-of-another")),
            id="another request's",
        ),
        pytest.param(a_secret({PROVIDER: {}}, owner(UID, is_controller=False)), id="no controller"),
        pytest.param(a_secret({"other": {}}), id="without the provider"),
        pytest.param(a_secret({PROVIDER: []}), id="a list"),
        pytest.param(a_secret([]), id="all of it a list"),
        pytest.param(a_secret(None, raw="{"), id="no JSON"),
        pytest.param(a_secret(None, raw="[" * 100_000), id="deep"),
    ],
)
def test_it_is_not_trusted(secret: Secret | None) -> None:
    with pytest.raises(Untrusted) as refused:
        read(secret, UID, PROVIDER, ["prod"], RULES)
    assert refused.value.__cause__ is None


SECRET = canary()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="null"),
        pytest.param([], id="a list"),
        pytest.param({"kubeconfig": 1}, id="a number"),
        pytest.param(entry(kubeconfig=""), id="empty"),
        pytest.param(entry(kubeconfig=SECRET), id="no base64"),
        pytest.param(entry(**{"cluster-name": "another"}), id="another name"),
        pytest.param(entry(kubeconfig("https://127.0.0.1:6443", SECRET)), id="loopback"),
        pytest.param(entry(kubeconfig("https://169.254.169.254", SECRET)), id="metadata service"),
        pytest.param(entry(kubeconfig("http://10.0.0.1", SECRET)), id="no TLS"),
        pytest.param(
            entry(TEXT.replace('"token": "token"', '"exec": {"command": "sh"}')), id="exec"
        ),
    ],
)
def test_a_bad_entry_is_that_clusters_alone(given: Any) -> None:
    secret = a_secret({PROVIDER: {"prod": given, "good": entry(**{"cluster-name": "good"})}})
    found = read(secret, UID, PROVIDER, ["prod", "good", "listed only"], RULES)
    assert found["good"].kubeconfig is not None
    for name in ("prod", "listed only"):
        assert found[name].kubeconfig is None
        assert found[name].refusal
        assert SECRET not in found[name].refusal


@pytest.mark.parametrize("name", ["", " a", "a\n", "a\u202eb", "a" * 254])
def test_a_name_that_no_target_may_have(name: str) -> None:
    found = read(a_secret({PROVIDER: {name: entry()}}), UID, PROVIDER, [name], RULES)
    assert found[name].kubeconfig is None
