"""Writes kubeconfigs as text: the YAML that clients read, and its form in a Secret."""

import base64
import json

import yaml
from yaml import CSafeDumper, ScalarNode

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


class _Quoted(str):
    """Text that is written in quotes, with escapes for non-ASCII characters."""

    __slots__ = ()


class _Dumper(CSafeDumper):
    """Quotes text, as readers differ on which unquoted text is a number, a boolean or a date."""


def _quoted(dumper: CSafeDumper, text: _Quoted) -> ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')


_Dumper.add_representer(_Quoted, _quoted)


def render(kubeconfig: Kubeconfig) -> str:
    """Return the YAML with one cluster, user and context that kubectl and krkn read.

    `read` gives the same value back, and so does every other reader of YAML.
    """
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": _cluster(kubeconfig)}],
        "users": [{"name": NAME, "user": _user(kubeconfig)}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        "current-context": NAME,
    }
    # Lines are not folded, since readers differ there, too.
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=MAX_BYTES)
    return text


def can_be_read(kubeconfig: Kubeconfig) -> bool:
    """Whether its text is short enough for `read`; the text it was made from may be shorter."""
    return len(render(kubeconfig).encode("utf-8")) <= MAX_BYTES


def to_secret_data(kubeconfig: Kubeconfig) -> str:
    """Return the Secret's value under `kubeconfig`: JSON around the YAML's base64.

    Other providers of target resources read and write the same form.
    """
    return json.dumps({"kubeconfig": _base64(render(kubeconfig))}, separators=(",", ":"))


def from_secret_data(text: str, rules: KubeconfigRules) -> Kubeconfig:
    """Read the value in a Secret, with all checks: anyone may have written it with kubectl."""
    return read(unwrap(text), rules)


def unwrap(text: str) -> str:
    """Return the kubeconfig's text in a Secret's value, unchecked; KubeconfigError for none."""
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
    cluster: dict[str, str | bool] = {"server": _Quoted(kubeconfig.server)}
    if kubeconfig.certificate_authority is not None:
        cluster["certificate-authority-data"] = _Quoted(_base64(kubeconfig.certificate_authority))
    if kubeconfig.insecure_skip_tls_verify:
        cluster["insecure-skip-tls-verify"] = True
    if kubeconfig.tls_server_name is not None:
        cluster["tls-server-name"] = _Quoted(kubeconfig.tls_server_name)
    if kubeconfig.proxy_url is not None:
        cluster["proxy-url"] = _Quoted(kubeconfig.proxy_url)
    return cluster


def _user(kubeconfig: Kubeconfig) -> dict[str, str]:
    match kubeconfig.credentials:
        case Token(value):
            user = {"token": value}
        case Password(username, password):
            user = {"username": username, "password": password}
        case ClientCertificate(certificate, key, token):
            user = {
                "client-certificate-data": _base64(certificate),
                "client-key-data": _base64(key),
            }
            user |= {} if token is None else {"token": token}
    return {field: _Quoted(value) for field, value in user.items()}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
