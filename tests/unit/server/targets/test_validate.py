"""What a registration must be, and the kubeconfig that is made of it."""

import base64
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from deploy.local.services import REPOSITORY
from krkn_grpc.resources.addresses import AddressRules
from krkn_grpc.resources.kubeconfig import (
    MAX_BYTES,
    KubeconfigRules,
    Password,
    Token,
    from_credentials,
    from_secret_data,
    render,
    to_secret_data,
)
from krkn_grpc.resources.target import Target
from krkn_grpc.server.targets import validate
from krkn_grpc.server.targets.validate import NewTarget
from krkn_grpc.v1 import targets_pb2 as pb
from tests.support.requests import kubeconfig
from tests.unit.deploy.test_crd_schemas import schema_of
from tests.unit.server.runs.requests import violated

NOBODY_LOCAL = AddressRules()
LOOPBACK = AddressRules((ip_network("127.0.0.0/8"),))
URL = "https://api.example:6443"
CA = (REPOSITORY / "tests/unit/resources/kubeconfig/material/ca.pem").read_text()

TOKEN = {"cluster_name": "c", "secret_type": "token", "cluster_api_url": URL, "token": "abc"}
CREDENTIALS = {
    "cluster_name": "c",
    "secret_type": "credentials",
    "cluster_api_url": URL,
    "username": "u",
    "password": "p",
}
KUBECONFIG = {
    "cluster_name": "c",
    "secret_type": "kubeconfig",
    "kubeconfig": kubeconfig(URL, "abc"),
}
Message = Callable[..., pb.CreateTargetRequest | pb.UpdateTargetRequest]
each_message = pytest.mark.parametrize("message", [pb.CreateTargetRequest, pb.UpdateTargetRequest])


def checked(fields: dict[str, Any], rules: AddressRules = NOBODY_LOCAL) -> NewTarget:
    """The registration that these fields make."""
    return validate.registration(pb.CreateTargetRequest(**fields), rules)


@each_message
def test_a_token(message: Message) -> None:
    new = validate.registration(message(**TOKEN), NOBODY_LOCAL)
    assert (new.cluster_name, new.secret_type, new.ca_bundle) == ("c", "token", "")
    assert (new.kubeconfig.server, new.kubeconfig.credentials) == (URL, Token("abc"))
    assert new.kubeconfig.insecure_skip_tls_verify


@each_message
def test_credentials(message: Message) -> None:
    new = validate.registration(message(**CREDENTIALS), NOBODY_LOCAL)
    assert new.secret_type == "credentials"
    assert (new.kubeconfig.server, new.kubeconfig.credentials) == (URL, Password("u", "p"))


@each_message
def test_a_kubeconfig(message: Message) -> None:
    new = validate.registration(message(**KUBECONFIG), NOBODY_LOCAL)
    assert (new.secret_type, new.ca_bundle) == ("kubeconfig", "")
    assert (new.kubeconfig.server, new.kubeconfig.credentials) == (URL, Token("abc"))


def test_a_kubeconfig_in_base64_is_the_same() -> None:
    encoded = base64.encodebytes(KUBECONFIG["kubeconfig"].encode()).decode()
    assert checked(KUBECONFIG | {"kubeconfig": encoded}) == checked(KUBECONFIG)


@pytest.mark.parametrize(
    "given", [CA, base64.b64encode(CA.encode()).decode()], ids=["PEM", "base64"]
)
def test_with_a_ca_the_cluster_is_verified(given: str) -> None:
    new = checked(TOKEN | {"ca_bundle": given})
    assert new.ca_bundle
    assert not new.kubeconfig.insecure_skip_tls_verify
    assert new.kubeconfig.certificate_authority is not None
    assert "BEGIN CERTIFICATE" in new.kubeconfig.certificate_authority


@pytest.mark.parametrize(
    "others",
    [
        {"kubeconfig": "not a kubeconfig"},
        {"username": "x\n", "password": "\0"},
        {"kubeconfig": "x" * 300_000},
    ],
)
def test_fields_of_other_kinds_are_not_looked_at(others: dict[str, str]) -> None:
    assert checked(TOKEN | others) == checked(TOKEN)


def test_the_name_is_trimmed() -> None:
    assert checked(TOKEN | {"cluster_name": " \t a b\n"}).cluster_name == "a b"


@pytest.mark.parametrize("name", ["a" * 253, " " + "a" * 253 + " ", "näher", "a/b:c d"])
def test_names_of_clusters(name: str) -> None:
    checked(TOKEN | {"cluster_name": name})


@pytest.mark.parametrize("name", ["", " ", "\n", "a" * 254, "a\0b", "a\nb", "a\x7fb", "\u2028"])
def test_what_is_no_name_of_a_cluster(name: str) -> None:
    assert violated(lambda: checked(TOKEN | {"cluster_name": name})) == ["clusterName"]


@pytest.mark.parametrize("kind", ["", "Token", "token ", "password", "kubeconfig\0"])
def test_there_are_three_kinds(kind: str) -> None:
    assert violated(lambda: checked(TOKEN | {"secret_type": kind})) == ["secretType"]


MISSING: list[tuple[dict[str, str], list[str]]] = [
    (TOKEN | {"token": ""}, ["token"]),
    (TOKEN | {"cluster_api_url": ""}, ["clusterAPIURL"]),
    (TOKEN | {"cluster_api_url": "", "token": ""}, ["clusterAPIURL", "token"]),
    (CREDENTIALS | {"username": ""}, ["username"]),
    (CREDENTIALS | {"password": ""}, ["password"]),
    (CREDENTIALS | {"cluster_api_url": ""}, ["clusterAPIURL"]),
    (KUBECONFIG | {"kubeconfig": ""}, ["kubeconfig"]),
    (KUBECONFIG | {"kubeconfig": "", "cluster_api_url": URL}, ["kubeconfig"]),
    ({}, ["clusterName", "secretType"]),
    (TOKEN | {"cluster_name": "", "token": ""}, ["clusterName", "token"]),
]


@pytest.mark.parametrize(("fields", "names"), MISSING)
def test_what_is_required(fields: dict[str, str], names: list[str]) -> None:
    assert violated(lambda: checked(fields)) == names


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "ftp://a",
        "a.example",
        "https://u:p@a.example",
        "https://",
        "https://a?b",
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    assert violated(lambda: checked(TOKEN | {"cluster_api_url": url})) == ["clusterAPIURL"]


HOSTS = ["127.0.0.1", "[::1]", "localhost", "2130706433", "0x7f.1", "169.254.169.254", "0.0.0.0"]


@pytest.mark.parametrize("host", HOSTS)
def test_an_address_that_is_not_contacted(host: str) -> None:
    url = f"https://{host}:6443"
    of_token = TOKEN | {"cluster_api_url": url}
    of_kubeconfig = KUBECONFIG | {"kubeconfig": kubeconfig(url, "abc")}
    assert violated(lambda: checked(of_token)) == ["clusterAPIURL"]
    [field] = violated(lambda: checked(of_kubeconfig))
    assert field.startswith("kubeconfig")


def test_an_address_that_a_setting_allows() -> None:
    url = "https://127.0.0.1:6443"
    assert checked(TOKEN | {"cluster_api_url": url}, LOOPBACK).kubeconfig.server == url


def test_all_faults_are_told_at_once() -> None:
    bad: dict[str, Any] = TOKEN | {"cluster_name": "", "cluster_api_url": "https://127.0.0.1"}
    assert violated(lambda: checked(bad)) == ["clusterName", "clusterAPIURL"]
    bad = TOKEN | {"cluster_api_url": "http://a", "token": "a b", "ca_bundle": "x"}
    assert sorted(violated(lambda: checked(bad))) == ["caBundle", "clusterAPIURL", "token"]


def test_no_credential_shows_when_a_registration_is_printed() -> None:
    secret = "hidden-text"
    for fields in (
        TOKEN | {"token": secret},
        CREDENTIALS | {"username": secret, "password": secret},
        KUBECONFIG | {"kubeconfig": kubeconfig(URL, secret)},
    ):
        assert secret not in repr(checked(fields))


def of_size(size: int) -> dict[str, str]:
    """The fields of a registration whose kubeconfig, as it is stored, has so many bytes."""
    # Stored with escapes, so that a kubeconfig with it grows.
    secret = "é" * 100
    count = size // len(CA) - 1
    while True:
        bare = from_credentials(URL, "u", secret, CA * count)
        if (missing := size - len(render(bare))) >= 0:
            return CREDENTIALS | {
                "username": "u" * (1 + missing),
                "password": secret,
                "ca_bundle": CA * count,
            }
        count -= 1


def as_kubeconfig(fields: dict[str, str]) -> dict[str, str]:
    """The same registration by a kubeconfig, which is smaller than what is stored of it."""
    built = from_credentials(URL, fields["username"], fields["password"], fields["ca_bundle"])
    text = render(built).replace("\\xE9", "é")
    assert len(text.encode()) < MAX_BYTES
    return KUBECONFIG | {"kubeconfig": text}


def test_the_largest_kubeconfig_is_one_that_can_be_read_again() -> None:
    largest = of_size(MAX_BYTES)
    for fields in (largest, as_kubeconfig(largest)):
        new = checked(fields)
        assert len(render(new.kubeconfig)) == MAX_BYTES
        assert from_secret_data(to_secret_data(new.kubeconfig), KubeconfigRules()) == new.kubeconfig


def test_a_kubeconfig_that_could_not_be_read_again() -> None:
    too_large = of_size(MAX_BYTES + 1)
    assert violated(lambda: checked(too_large)) == ["caBundle"]
    assert violated(lambda: checked(as_kubeconfig(too_large))) == ["kubeconfig"]
    unnamed = too_large | {"cluster_name": ""}
    assert violated(lambda: checked(unnamed)) == ["clusterName", "caBundle"]


def test_a_bundle_that_is_stored_fits_the_resource() -> None:
    """It stands in the kubeconfig, too, in the same form."""
    spec = schema_of(Target)["properties"]["spec"]["properties"]
    assert spec["caBundle"]["maxLength"] >= MAX_BYTES
    assert len(checked(of_size(MAX_BYTES)).ca_bundle) > MAX_BYTES - 2_000
