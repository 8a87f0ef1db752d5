"""What callers send: bodies for REST, each target with a name and an address that no other has."""

import base64
import json
import uuid
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]

IMAGE = "registry.example/krkn-hub:pod-scenarios"
"""Runs for a second and succeeds; see deploy/local/fake_node/stages for names that do otherwise."""


def unused_url(port: int = 6443) -> str:
    """An address on loopback that no other target has; nobody listens there."""
    first, second, third = uuid.uuid4().bytes[:3]
    return f"https://127.{first}.{second}.{third}:{port}"


def unused_name() -> str:
    """A cluster name that no other target has."""
    return f"cluster-{uuid.uuid4().hex[:12]}"


def canary() -> str:
    """A text that shows wherever it leaks."""
    return f"canary{uuid.uuid4().hex}"


def token_target(**changes: Any) -> Body:
    """A new target with a bearer token."""
    body = {
        "clusterName": unused_name(),
        "secretType": "token",
        "clusterAPIURL": unused_url(),
        "token": canary(),
    }
    return body | changes


def credentials_target(**changes: Any) -> Body:
    """A new target with a user name and a password."""
    body = {
        "clusterName": unused_name(),
        "secretType": "credentials",
        "clusterAPIURL": unused_url(),
        "username": canary(),
        "password": canary(),
    }
    return body | changes


def kubeconfig_target(**changes: Any) -> Body:
    """A new target with a kubeconfig, in base64."""
    text = kubeconfig(unused_url(), canary())
    body = {
        "clusterName": unused_name(),
        "secretType": "kubeconfig",
        "kubeconfig": base64.b64encode(text.encode()).decode(),
    }
    return body | changes


def kubeconfig(url: str, token: str) -> str:
    """A kubeconfig for one cluster; as JSON, which is YAML too."""
    cluster = {"server": url, "insecure-skip-tls-verify": True}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "only",
            "contexts": [{"name": "only", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": token}}],
        }
    )


def a_run(*targets: str, **changes: Any) -> Body:
    """A run of a scenario on these targets."""
    body = {"targetUUIDs": list(targets), "scenarioImage": IMAGE, "scenarioName": "pod-scenarios"}
    return body | changes
