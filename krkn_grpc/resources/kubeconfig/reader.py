"""The strict reader: only the current context's cluster and user, only embedded data.

A kubeconfig is data, never code: fields that would run a command, open a file or connect elsewhere
are refused, and only the text itself is read. kubectl's own loader does all of those, so it never
gets a kubeconfig that a caller submitted.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from krkn_grpc.resources.kubeconfig import pem, values
from krkn_grpc.resources.kubeconfig.findings import Findings, Refused
from krkn_grpc.resources.kubeconfig.model import (
    ClientCertificate,
    Credentials,
    Kubeconfig,
    KubeconfigRules,
    Password,
    Token,
)
from krkn_grpc.resources.kubeconfig.section import Section
from krkn_grpc.resources.kubeconfig.tree import ROOT, load

Value = TypeVar("Value")

_FILE = "Files are not read; embed the content as {}."
_OTHER_IDENTITY = "Impersonation is not supported; use the credentials of that user."
_REFUSED_IN_USER = {
    "exec": "Running a command for credentials is not supported; embed a token or certificate.",
    "auth-provider": "Auth providers are not supported; embed a token or certificate.",
    "tokenFile": _FILE.format("token"),
    "client-certificate": _FILE.format("client-certificate-data"),
    "client-key": _FILE.format("client-key-data"),
    # Dropping these would give more permissions than the kubeconfig asks for.
    "as": _OTHER_IDENTITY,
    "as-uid": _OTHER_IDENTITY,
    "as-groups": _OTHER_IDENTITY,
    "as-user-extra": _OTHER_IDENTITY,
}
_KINDS = {
    "token": ("token",),
    "password": ("username", "password"),
    "certificate": ("client-certificate-data", "client-key-data"),
}
_USER_FIELDS = {*_REFUSED_IN_USER, *chain.from_iterable(_KINDS.values()), "extensions"}
_CLUSTER_FIELDS = {
    *("server", "certificate-authority", "certificate-authority-data"),
    *("insecure-skip-tls-verify", "tls-server-name", "proxy-url"),
    # Neither changes where a connection goes or what it may do; both are dropped.
    *("disable-compression", "extensions"),
}


def read(text: str, rules: KubeconfigRules) -> Kubeconfig:
    """Read a kubeconfig's YAML or JSON; raise KubeconfigError with all its violations.

    Other contexts, clusters and users, namespaces, preferences and extensions are dropped.
    """
    findings = Findings()
    root = Section.of(load(text), ROOT, findings)
    return findings.conclude(_read(root, rules, findings) if root else None)


def _read(root: Section, rules: KubeconfigRules, findings: Findings) -> Kubeconfig | None:
    for key, expected in (("apiVersion", "v1"), ("kind", "Config")):
        if root.has(key) and root.text(key) != expected:
            root.note(key, f"It must be {expected}.")
    current = root.required_text("current-context")
    context = root.entry("contexts", current, "context") if current is not None else None
    if context is None:
        return None
    cluster_name, user_name = context.required_text("cluster"), context.required_text("user")
    cluster = root.entry("clusters", cluster_name, "cluster") if cluster_name else None
    user = root.entry("users", user_name, "user") if user_name else None
    credentials = _credentials(user, findings) if user else None
    if cluster is None:
        return None
    return _cluster(cluster, credentials, rules, findings)


def _cluster(
    cluster: Section, credentials: Credentials | None, rules: KubeconfigRules, findings: Findings
) -> Kubeconfig | None:
    cluster.refuse_other_than(_CLUSTER_FIELDS)
    if cluster.has("certificate-authority"):
        cluster.note("certificate-authority", _FILE.format("certificate-authority-data"))
    if cluster.has("proxy-url") and not rules.allow_proxy_url:
        cluster.note("proxy-url", "Proxies are not allowed by this installation's settings.")
    insecure = cluster.flag("insecure-skip-tls-verify")
    if insecure and cluster.has("certificate-authority-data"):
        cluster.note(
            "insecure-skip-tls-verify", "It contradicts certificate-authority-data; give one."
        )
    server = _required(cluster, "server", values.https_url, findings)
    authority = _optional(cluster, "certificate-authority-data", _embedded_authority, findings)
    name = _optional(cluster, "tls-server-name", values.server_name, findings)
    proxy = _optional(cluster, "proxy-url", values.proxy_url, findings)
    if server is None or credentials is None:
        return None
    return Kubeconfig(
        server=server,
        credentials=credentials,
        certificate_authority=authority,
        insecure_skip_tls_verify=insecure,
        tls_server_name=name,
        proxy_url=proxy,
    )


def _credentials(user: Section, findings: Findings) -> Credentials | None:
    user.refuse_other_than(_USER_FIELDS)
    refused = [key for key in _REFUSED_IN_USER if user.has(key)]
    for key in refused:
        user.note(key, _REFUSED_IN_USER[key])
    if refused:
        return None  # further violations would only distract
    given = [kind for kind, fields in _KINDS.items() if any(user.has(key) for key in fields)]
    match given:
        case []:
            findings.add(user.path, "It holds no credentials.")
        case ["token"]:
            return _token(user, findings)
        case ["password"]:
            return _password(user, findings)
        case ["certificate"]:
            return _certificate(user, findings)
        case ["token", "certificate"]:
            return _certificate_and_token(user, findings)
        case _:
            # It is not defined which of them, and so which user, the cluster would use.
            findings.add(
                user.path,
                "It must hold one kind of credential: a token, a user name and password, "
                "or a client certificate and key; only the last may have a token besides.",
            )
    return None


def _token(user: Section, findings: Findings) -> Credentials | None:
    value = _required(user, "token", values.token, findings)
    return None if value is None else Token(value)


def _password(user: Section, findings: Findings) -> Credentials | None:
    username = _required(user, "username", values.username, findings)
    password = _required(user, "password", values.password, findings)
    return None if username is None or password is None else Password(username, password)


def _certificate_and_token(user: Section, findings: Findings) -> Credentials | None:
    token = _required(user, "token", values.token, findings)
    pair = _certificate(user, findings)
    return None if token is None or pair is None else replace(pair, token=token)


def _certificate(user: Section, findings: Findings) -> ClientCertificate | None:
    certificate = _required(user, "client-certificate-data", values.base64_bytes, findings)
    key = _required(user, "client-key-data", values.base64_bytes, findings)
    if certificate is None or key is None:
        return None
    pair: ClientCertificate | None = None
    if findings.check(f"{user.path}.client-certificate-data", pem.certificates, certificate):
        path = f"{user.path}.client-key-data"
        pair = findings.check(path, lambda key: pem.client_certificate(certificate, key), key)
    return pair


def _embedded_authority(text: str) -> str:
    decoded = values.base64_bytes(text)
    if b"-----" not in decoded:
        raise Refused("It must be base64 of PEM (encoded once).")
    return pem.certificates(decoded)


def _required(
    section: Section, key: str, check: Callable[[str], Value], findings: Findings
) -> Value | None:
    if not section.has(key):
        section.note(key, "It is required.")
    return _optional(section, key, check, findings)


def _optional(
    section: Section, key: str, check: Callable[[str], Value], findings: Findings
) -> Value | None:
    text = section.text(key)
    return None if text is None else findings.check(f"{section.path}.{key}", check, text)
