"""Kubeconfigs to text: the YAML that clients read, and the Secret's form of it."""

import base64
import json

import yaml
from yaml import CSafeDumper

from krkn_grpc.resources.kubeconfig import values
from krkn_grpc.resources.kubeconfig.findings import Findings, Refused
from krkn_grpc.resources.kubeconfig.model import (
    MAX_BYTES,
    ClientCertificate,
    Kubeconfig,
    KubeconfigRules,
    Password,
    Token,
)
from krkn_grpc.resources.kubeconfig.reader import read
from krkn_grpc.resources.kubeconfig.tree import ROOT

SECRET_KEY = "kubeconfig"
NAME = "target"


def render(kubeconfig: Kubeconfig) -> str:
    """Give the YAML with one cluster, user and context that kubectl and krkn read.

    `read` gives the same value back.
    """
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": _cluster(kubeconfig)}],
        "users": [{"name": NAME, "user": _user(kubeconfig)}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
    text: str = yaml.dump(document, Dumper=CSafeDumper, sort_keys=False)
    return text


def can_be_read(kubeconfig: Kubeconfig) -> bool:
    """Whether its text is as short as `read` wants it; what it was made from may be shorter."""
    return len(render(kubeconfig).encode("utf-8")) <= MAX_BYTES


def to_secret_data(kubeconfig: Kubeconfig) -> str:
    """Give what stands in the Secret under `kubeconfig`: JSON around the YAML's base64.

    Other providers of target resources read and write the same form.
    """
    return json.dumps({"kubeconfig": _base64(render(kubeconfig))}, separators=(",", ":"))


def from_secret_data(text: str, rules: KubeconfigRules) -> Kubeconfig:
    """Read what stands in a Secret, with all checks: anyone may have written it with kubectl."""
    return read(unwrap(text), rules)


def unwrap(text: str) -> str:
    """Give the kubeconfig's text that stands in a Secret, unread; KubeconfigError for none."""
    findings = Findings()
    return findings.conclude(findings.check(ROOT, _unwrapped, text))


def _unwrapped(text: str) -> str:
    if len(text) > 2 * MAX_BYTES:
        raise Refused(f"It must have at most {MAX_BYTES // 1024} KiB.")
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    encoded = parsed.get("kubeconfig") if isinstance(parsed, dict) else None
    if not isinstance(encoded, str):
        raise Refused("The Secret must hold a JSON object with the base64 text `kubeconfig`.")
    content = values.base64_bytes(encoded)
    try:
        inner: str | None = content.decode("utf-8")
    except UnicodeDecodeError:
        inner = None
    if inner is None:
        raise Refused("It must be valid UTF-8.")
    return inner


def _cluster(kubeconfig: Kubeconfig) -> dict[str, str | bool]:
    cluster: dict[str, str | bool] = {"server": kubeconfig.server}
    if kubeconfig.certificate_authority is not None:
        cluster["certificate-authority-data"] = _base64(kubeconfig.certificate_authority)
    if kubeconfig.insecure_skip_tls_verify:
        cluster["insecure-skip-tls-verify"] = True
    if kubeconfig.tls_server_name is not None:
        cluster["tls-server-name"] = kubeconfig.tls_server_name
    if kubeconfig.proxy_url is not None:
        cluster["proxy-url"] = kubeconfig.proxy_url
    return cluster


def _user(kubeconfig: Kubeconfig) -> dict[str, str]:
    match kubeconfig.credentials:
        case Token(value):
            return {"token": value}
        case Password(username, password):
            return {"username": username, "password": password}
        case ClientCertificate(certificate, key, token):
            pair = {
                "client-certificate-data": _base64(certificate),
                "client-key-data": _base64(key),
            }
            return pair if token is None else pair | {"token": token}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
