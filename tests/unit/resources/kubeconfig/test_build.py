"""Kubeconfigs made from what a request gives."""

import base64
from pathlib import Path

import pytest
import yaml

from krkn_grpc.resources.kubeconfig import (
    KubeconfigError,
    KubeconfigRules,
    Password,
    Token,
    decode_submitted,
    from_credentials,
    from_token,
    read,
    render,
)

MATERIAL = Path(__file__).parent / "material"
CA = (MATERIAL / "ca.pem").read_text()
OTHER_CA = (MATERIAL / "other-ca.pem").read_text()
URL = "https://api.example.com:6443"
PLAIN = "apiVersion: v1\nkind: Config\n"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "submitted",
    [
        pytest.param(PLAIN, id="plain"),
        pytest.param(encoded(PLAIN), id="base64"),
        pytest.param(base64.encodebytes(PLAIN.encode()).decode(), id="wrapped base64"),
        pytest.param(base64.urlsafe_b64encode(PLAIN.encode()).decode(), id="URL-safe base64"),
        pytest.param(encoded(PLAIN).rstrip("="), id="without padding"),
        pytest.param(f"\n  {encoded(PLAIN)}\r\n", id="space around"),
        pytest.param("\ufeff" + encoded(PLAIN), id="byte order mark"),
    ],
)
def test_submitted_kubeconfig_is_decoded(submitted: str) -> None:
    assert decode_submitted(submitted) == PLAIN


def test_both_alphabets_are_read() -> None:
    text = "kubeconfig: \u00fb\u00ff?>~~~???>>>"
    assert decode_submitted(base64.b64encode(text.encode()).decode()) == text
    assert decode_submitted(base64.urlsafe_b64encode(text.encode()).decode()) == text


@pytest.mark.parametrize(
    ("submitted", "word"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param(" \n", "empty", id="blank"),
        pytest.param("kubeconfig", "base64", id="neither"),
        pytest.param("ab+_", "not base64", id="two alphabets"),
        pytest.param("YTpiC", "end is missing", id="cut"),
        pytest.param("YTpi=", "end is missing", id="wrong padding"),
        pytest.param("YTpi====", "not base64", id="too much padding"),
        pytest.param("YT=pi", "not base64", id="padding inside"),
        pytest.param(encoded(encoded(PLAIN)), "encoded once", id="encoded twice"),
        pytest.param(base64.b64encode(b"\xff:\x00").decode(), "UTF-8", id="binary"),
        pytest.param("A" * (512 * 1024 + 1), "256 KiB", id="too large"),
    ],
)
def test_submitted_text_that_is_no_kubeconfig(submitted: str, word: str) -> None:
    with pytest.raises(KubeconfigError, match=word) as refused:
        decode_submitted(submitted)
    assert refused.value.violations[0].field == "kubeconfig"
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    "bundle",
    [
        pytest.param(CA + OTHER_CA, id="PEM"),
        pytest.param(encoded(CA + OTHER_CA), id="base64 of PEM"),
        pytest.param(base64.encodebytes((CA + OTHER_CA).encode()).decode(), id="wrapped base64"),
        pytest.param(f"# first\n{CA}\n# second\n{OTHER_CA}", id="PEM with comments"),
        pytest.param((CA + OTHER_CA).replace("\n", "\r\n"), id="PEM with Windows lines"),
    ],
)
def test_ca_bundle_is_embedded_once(bundle: str) -> None:
    kubeconfig = from_token(URL, "abc", bundle)
    assert kubeconfig.certificate_authority == CA + OTHER_CA
    assert not kubeconfig.insecure_skip_tls_verify
    [cluster] = yaml.safe_load(render(kubeconfig))["clusters"]
    data = base64.b64decode(cluster["cluster"]["certificate-authority-data"], validate=True)
    assert data.decode() == CA + OTHER_CA


@pytest.mark.parametrize("bundle", [None, ""])
def test_without_a_bundle_verification_is_skipped_and_it_says_so(bundle: str | None) -> None:
    assert from_token(URL, "abc", bundle).insecure_skip_tls_verify
    assert from_credentials(URL, "admin", "abc", bundle).insecure_skip_tls_verify
    assert "insecure-skip-tls-verify: true" in render(from_token(URL, "abc", bundle))


@pytest.mark.parametrize(
    ("bundle", "word"),
    [
        pytest.param("canary", "end is missing|PEM", id="neither"),
        pytest.param(encoded(encoded(CA)), "encoded once", id="encoded twice"),
        pytest.param(CA.replace("CERTIFICATE", "PRIVATE KEY"), "no PEM cert", id="a key"),
        pytest.param(CA.replace("CERTIFICATE", "CERTIFICATE REQUEST"), "no PEM", id="a request"),
        pytest.param("DATA+OMITTED", "--raw --flatten", id="left out by kubectl"),
        pytest.param(CA * 2_000, "at most 256 KiB", id="endless"),
        pytest.param(CA[:200] + CA[204:], "cannot be parsed", id="broken"),
        pytest.param(CA[:200], "cannot be parsed", id="cut"),
        pytest.param(CA + CA[:200], "cannot be parsed", id="second one cut"),
        pytest.param("----- nothing -----", "no PEM", id="no block"),
        pytest.param(" ", "PEM", id="blank"),
    ],
)
def test_ca_bundle_that_is_none(bundle: str, word: str) -> None:
    with pytest.raises(KubeconfigError, match=word) as refused:
        from_token(URL, "abc", bundle)
    assert [each.field for each in refused.value.violations] == ["caBundle"]
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("other", ["PRIVATE KEY", "EC PARAMETERS", "CERTIFICATE REQUEST"])
def test_what_stands_beside_the_certificates_is_passed_over(other: str) -> None:
    block = f"-----BEGIN {other}-----\ncanary\n-----END {other}-----\n"
    kubeconfig = from_token(URL, "abc", f"{block}{CA}{block}{OTHER_CA}")
    assert kubeconfig.certificate_authority == CA + OTHER_CA
    assert "canary" not in render(kubeconfig)


@pytest.mark.parametrize(
    "token", ["", " canary", "canary\n", "can ary", "canary\x00", "canäry", "REDACTED"]
)
def test_token_that_no_header_carries(token: str) -> None:
    with pytest.raises(KubeconfigError) as refused:
        from_token(URL, token)
    assert [each.field for each in refused.value.violations] == ["token"]
    assert "can" not in str(refused.value).replace("can be", "")


@pytest.mark.parametrize(
    ("username", "password", "fields"),
    [
        pytest.param("", "canary", ["username"], id="no user name"),
        pytest.param("admin", "", ["password"], id="no password"),
        pytest.param("ad:min", "canary", ["username"], id="colon"),
        pytest.param("admin\r\nX: 1", "canary", ["username"], id="line break in the name"),
        pytest.param("admin", "canary\n", ["password"], id="line break in the password"),
        pytest.param("a" * 1025, "canary" * 1000, ["username", "password"], id="too long"),
    ],
)
def test_credentials_that_no_header_carries(
    username: str, password: str, fields: list[str]
) -> None:
    with pytest.raises(KubeconfigError) as refused:
        from_credentials(URL, username, password)
    assert [each.field for each in refused.value.violations] == fields
    assert "canary" not in str(refused.value)


def test_all_violations_are_told_at_once() -> None:
    with pytest.raises(KubeconfigError) as refused:
        from_token("http://api.example.com", "", "canary")
    fields = {each.field for each in refused.value.violations}
    assert fields == {"clusterAPIURL", "token", "caBundle"}


def test_no_credential_is_shown() -> None:
    for kubeconfig in (
        from_token(URL, "canary-1"),
        from_credentials(URL, "canary-2", "canary-3"),
    ):
        for shown in (repr(kubeconfig), str(kubeconfig), f"{kubeconfig.credentials}"):
            assert "canary" not in shown
    assert from_token(URL, "canary-1").credentials == Token("canary-1")
    assert from_credentials(URL, "a", "b").credentials == Password("a", "b")


def test_what_was_built_is_read_again() -> None:
    built = from_token(URL, "abc", CA)
    assert read(render(built), KubeconfigRules()) == built
