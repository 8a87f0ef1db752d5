"""Builds kubeconfigs from a request's fields: a whole one, a token, or a user name and password."""

from krkn_grpc.resources.kubeconfig import pem, values
from krkn_grpc.resources.kubeconfig.findings import Findings, Refused
from krkn_grpc.resources.kubeconfig.model import (
    MAX_BYTES,
    Credentials,
    Kubeconfig,
    Password,
    Token,
)
from krkn_grpc.resources.kubeconfig.tree import ROOT

# Fields of the request, as clients spell them.
API_URL = "clusterAPIURL"
CA_BUNDLE = "caBundle"
TOKEN = "token"
USERNAME = "username"
PASSWORD = "password"


def decode_submitted(value: str) -> str:
    """Return the YAML (or JSON) of a submitted kubeconfig, which may be base64-encoded.

    Every kubeconfig has a colon and base64 has none, so a value with a colon is taken as it is
    and any other must be base64 (standard or URL-safe, line breaks allowed), decoded once.
    """
    findings = Findings()
    return findings.conclude(findings.check(ROOT, _decoded, value))


def from_token(url: str, token: str, ca_bundle: str | None = None) -> Kubeconfig:
    """Return a kubeconfig with a bearer token; raise KubeconfigError naming the request's fields.

    Without a CA bundle (PEM, or base64 of PEM) the cluster's certificate is not verified.
    """
    findings = Findings()
    checked = findings.check(TOKEN, values.token, token)
    return _build(url, None if checked is None else Token(checked), ca_bundle, findings)


def from_credentials(
    url: str, username: str, password: str, ca_bundle: str | None = None
) -> Kubeconfig:
    """Return a kubeconfig with a user name and password; otherwise as `from_token`."""
    findings = Findings()
    name = findings.check(USERNAME, values.username, username)
    secret = findings.check(PASSWORD, values.password, password)
    credentials = None if name is None or secret is None else Password(name, secret)
    return _build(url, credentials, ca_bundle, findings)


def _build(
    url: str, credentials: Credentials | None, ca_bundle: str | None, findings: Findings
) -> Kubeconfig:
    server = findings.check(API_URL, values.https_url, url)
    authority = findings.check(CA_BUNDLE, pem.ca_bundle, ca_bundle) if ca_bundle else None
    kubeconfig = None
    if server is not None and credentials is not None:
        kubeconfig = Kubeconfig(
            server=server,
            credentials=credentials,
            certificate_authority=authority,
            insecure_skip_tls_verify=authority is None,
        )
    return findings.conclude(kubeconfig)


def _decoded(value: str) -> str:
    # Base64 is a third longer, and has line breaks.
    if len(value) > 2 * MAX_BYTES:
        raise Refused(f"It must have at most {MAX_BYTES // 1024} KiB.")
    if ":" in value:
        return value
    if not value.strip():
        raise Refused("It must not be empty.")
    content = values.base64_bytes(value.strip().removeprefix("\ufeff"))
    try:
        text: str | None = content.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise Refused("What is base64-encoded must be UTF-8 text (no UTF-16, no binary).")
    if ":" not in text:
        raise Refused("What is base64-encoded must be a kubeconfig's YAML (encoded once).")
    return text
