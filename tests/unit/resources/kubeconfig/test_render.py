"""What is written is read back, by us and by Kubernetes' own loader."""

import base64
import datetime
import json
from dataclasses import replace
from functools import cache

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.client import Configuration
from kubernetes.config import load_kube_config_from_dict

from krkn_grpc.resources.kubeconfig import (
    ClientCertificate,
    Kubeconfig,
    KubeconfigError,
    KubeconfigRules,
    Password,
    Token,
    from_credentials,
    from_secret_data,
    from_token,
    read,
    render,
    to_secret_data,
)

METHODS = KubeconfigRules(allow_proxy_url=True)
URL = "https://api.example.com:6443"


@cache
def key_pair() -> ClientCertificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "admin")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2024, 1, 1))
        .not_valid_after(datetime.datetime(2124, 1, 1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ClientCertificate(certificate.public_bytes(Encoding.PEM).decode(), private.decode())


labels = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
hosts = st.one_of(
    st.lists(labels, min_size=1, max_size=4).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
)
paths = st.lists(labels, max_size=3).map(lambda segments: "".join(f"/{s}" for s in segments))
ports = st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}"))
urls = st.builds("https://{}{}{}".format, hosts, ports, paths)
plain_text = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)
tokens = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=200)
usernames = plain_text.filter(lambda name: ":" not in name)
bundles = st.sampled_from([None, "once", "twice"])


def bundle(which: str | None) -> str | None:
    certificate = key_pair().certificate
    return {None: None, "once": certificate, "twice": certificate * 2}[which]


def names_and_numbers() -> st.SearchStrategy[str]:
    """Text that YAML would take for something else if it were not quoted."""
    return st.sampled_from(
        ["123", "0x1f", "1e3", "true", "no", "null", "~", "2024-01-01", "1:30", "=", "<<", "a: b",
         "# x", "- x", "*a", "&a", "!a", "{}", "[]", "'", '"', "\\", "%x", "@x", "`x", "|", ">"]
    )  # fmt: skip


@given(urls, st.one_of(tokens, names_and_numbers().filter(lambda t: " " not in t)), bundles)
def test_token_round_trip(url: str, token: str, which: str | None) -> None:
    built = from_token(url, token, bundle(which))
    assert built.credentials == Token(token)
    assert read(render(built), METHODS) == built
    assert from_secret_data(to_secret_data(built), METHODS) == built


@given(
    urls,
    st.one_of(usernames, names_and_numbers().filter(lambda name: ":" not in name)),
    st.one_of(plain_text, names_and_numbers()),
    bundles,
)
def test_password_round_trip(url: str, username: str, password: str, which: str | None) -> None:
    built = from_credentials(url, username, password, bundle(which))
    assert built.credentials == Password(username, password)
    assert read(render(built), METHODS) == built
    assert from_secret_data(to_secret_data(built), METHODS) == built


@pytest.mark.parametrize("token", [None, "abc", "123"])
@pytest.mark.parametrize("authority", [None, "own"])
@pytest.mark.parametrize("server_name", [None, "api.internal"])
@pytest.mark.parametrize("proxy", [None, "http://proxy.example.com:3128"])
def test_certificate_round_trip(
    token: str | None, authority: str | None, server_name: str | None, proxy: str | None
) -> None:
    kubeconfig = Kubeconfig(
        server=URL,
        credentials=replace(key_pair(), token=token),
        certificate_authority=authority and key_pair().certificate,
        tls_server_name=server_name,
        proxy_url=proxy,
    )
    assert read(render(kubeconfig), METHODS) == kubeconfig
    assert from_secret_data(to_secret_data(kubeconfig), METHODS) == kubeconfig


def loaded(kubeconfig: Kubeconfig) -> Configuration:
    configuration = Configuration()
    document = yaml.safe_load(render(kubeconfig))
    load_kube_config_from_dict(document, client_configuration=configuration)
    return configuration


def test_kubernetes_reads_a_token() -> None:
    configuration = loaded(from_token(URL, "abc", key_pair().certificate))
    assert configuration.host == URL
    assert configuration.api_key["BearerToken"] == "Bearer abc"
    assert configuration.verify_ssl
    with open(configuration.ssl_ca_cert) as file:
        assert file.read() == key_pair().certificate


def test_kubernetes_reads_a_password() -> None:
    configuration = loaded(from_credentials(URL, "admin", "p: #ss"))
    expected = base64.b64encode(b"admin:p: #ss").decode()
    assert configuration.api_key["BearerToken"] == f"Basic {expected}"
    assert not configuration.verify_ssl


def test_kubernetes_reads_a_client_certificate() -> None:
    pair = key_pair()
    configuration = loaded(Kubeconfig(URL, pair, tls_server_name="api.internal"))
    with open(configuration.cert_file) as certificate, open(configuration.key_file) as key:
        assert (certificate.read(), key.read()) == (pair.certificate, pair.key)
    assert configuration.tls_server_name == "api.internal"


def test_kubernetes_reads_a_client_certificate_and_a_token() -> None:
    pair = key_pair()
    configuration = loaded(Kubeconfig(URL, replace(pair, token="abc")))
    assert configuration.api_key["BearerToken"] == "Bearer abc"
    with open(configuration.cert_file) as certificate, open(configuration.key_file) as key:
        assert (certificate.read(), key.read()) == (pair.certificate, pair.key)


def test_text_is_canonical() -> None:
    assert render(from_token(URL, "abc")) == (
        "apiVersion: v1\n"
        "kind: Config\n"
        "clusters:\n"
        "- name: target\n"
        "  cluster:\n"
        f'    server: "{URL}"\n'
        "    insecure-skip-tls-verify: true\n"
        "users:\n"
        "- name: target\n"
        "  user:\n"
        '    token: "abc"\n'
        "contexts:\n"
        "- name: target\n"
        "  context:\n"
        "    cluster: target\n"
        "    user: target\n"
        "current-context: target\n"
    )


def test_secret_data_is_json_around_base64() -> None:
    kubeconfig = from_token(URL, "abc")
    document = json.loads(to_secret_data(kubeconfig))
    assert list(document) == ["kubeconfig"]
    assert base64.b64decode(document["kubeconfig"], validate=True).decode() == render(kubeconfig)


def wrapped(text: str) -> str:
    return json.dumps({"kubeconfig": base64.b64encode(text.encode()).decode()})


@pytest.mark.parametrize(
    ("data", "field", "word"),
    [
        pytest.param("", "kubeconfig", "JSON object", id="empty"),
        pytest.param("apiVersion: v1\ntoken: canary", "kubeconfig", "JSON", id="bare YAML"),
        pytest.param('["canary"]', "kubeconfig", "JSON object", id="list"),
        pytest.param("{}", "kubeconfig", "`kubeconfig`", id="no kubeconfig"),
        pytest.param('{"kubeconfig": {"token": "canary"}}', "kubeconfig", "base64", id="object"),
        pytest.param('{"kubeconfig": "canary:"}', "kubeconfig", "base64", id="not base64"),
        pytest.param('{"kubeconfig": "/w=="}', "kubeconfig", "UTF-8", id="not UTF-8"),
        pytest.param('{"a":' * 100_000, "kubeconfig", "JSON object", id="deep"),
        pytest.param("{" + " " * 600_000 + "}", "kubeconfig", "KiB", id="large"),
        pytest.param(wrapped("token: canary"), "kubeconfig.current-context", "req", id="YAML"),
        pytest.param(
            wrapped(
                render(from_token(URL, "canary")).replace('token: "canary"', "exec: {command: id}")
            ),
            "kubeconfig.users[0].user.exec",
            "command",
            id="exec, written with kubectl",
        ),
    ],
)
def test_secret_data_is_checked_again(data: str, field: str, word: str) -> None:
    with pytest.raises(KubeconfigError, match=word) as refused:
        from_secret_data(data, METHODS)
    assert refused.value.violations[0].field == field
    assert "canary" not in str(refused.value)
    assert refused.value.__context__ is None
