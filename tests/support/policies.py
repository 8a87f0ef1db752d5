"""What administrators of a cluster put before its API server: policies and webhooks, in effect.

Each is for one namespace, and is gone at the end.
"""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from deploy.local.cluster.api import Cluster, ClusterError
from tests.support.waiting import eventually

Manifest = dict[str, Any]

_GROUP = "admissionregistration.k8s.io/v1"


@dataclass(frozen=True)
class Attempt:
    """A call that changes nothing, by which it shows whether a rule is in effect."""

    method: str
    path: str
    body: Manifest | None = None
    content_type: str = "application/json"

    async def outcome(self, cluster: Cluster) -> Manifest | ClusterError:
        """Return what the API server would do."""
        try:
            return await cluster.request(
                self.method, self.path, self.body, self.content_type, dryRun="All"
            )
        except ClusterError as error:
            return error


@dataclass(frozen=True)
class Rules:
    """Which calls a policy is asked about."""

    resources: list[str]
    operations: list[str] = field(default_factory=lambda: ["CREATE"])
    group: str = ""
    version: str = "v1"

    @property
    def manifest(self) -> list[Manifest]:
        """As `resourceRules` say it."""
        return [
            {
                "apiGroups": [self.group],
                "apiVersions": [self.version],
                "operations": self.operations,
                "resources": self.resources,
            }
        ]


@contextlib.asynccontextmanager
async def forbidding(
    cluster: Cluster,
    namespace: str,
    rules: Rules,
    allowed: str,
    attempt: Attempt,
    *,
    reason: str = "Forbidden",
) -> AsyncIterator[None]:
    """Let pass only what the CEL expression `allowed` holds for; `attempt` is refused."""
    spec = {
        "matchConstraints": {"resourceRules": rules.manifest},
        "validations": [{"expression": allowed, "message": "It is not.", "reason": reason}],
    }
    binding = {"validationActions": ["Deny"]}
    async with _policy(cluster, namespace, "ValidatingAdmissionPolicy", spec, binding):
        await eventually(
            lambda: attempt.outcome(cluster), lambda told: isinstance(told, ClusterError)
        )
        yield


@contextlib.asynccontextmanager
async def changing_pods(
    cluster: Cluster, namespace: str, path: str, value: str
) -> AsyncIterator[None]:
    """Add the CEL value at the path of each pod that is created."""
    change = f'[JSONPatch{{op: "add", path: "{path}", value: {value}}}]'
    spec = {
        "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": Rules(["pods"]).manifest},
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": change}}],
    }
    async with _policy(cluster, namespace, "MutatingAdmissionPolicy", spec, {}):
        field = path.split("/")[2]
        await eventually(
            lambda: _pod(namespace).outcome(cluster),
            lambda told: isinstance(told, dict) and told["spec"].get(field) != _SPEC.get(field),
        )
        yield


@contextlib.asynccontextmanager
async def webhook_away(cluster: Cluster, namespace: str) -> AsyncIterator[None]:
    """Let each creation of a pod fail, because a webhook that must be asked is not there."""

    async def refuses() -> bool:
        told = await _pod(namespace).outcome(cluster)
        return isinstance(told, ClusterError) and told.status == 500

    async with _applied(cluster, _webhook(namespace, port=9, seconds=2)):
        await eventually(refuses)
        yield


@contextlib.asynccontextmanager
async def webhook_silent(cluster: Cluster, namespace: str) -> AsyncIterator[None]:
    """Let each creation of a pod take 30 s and then fail: a webhook is asked and says nothing."""
    callers: list[asyncio.StreamWriter] = []

    async def asks() -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await _pod(namespace).outcome(cluster)
        return bool(callers)

    silent = await asyncio.start_server(lambda _, caller: callers.append(caller), "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        async with _applied(cluster, _webhook(namespace, port=port, seconds=30)):
            await eventually(asks)
            yield
        for caller in callers:
            caller.transport.abort()


def _webhook(namespace: str, *, port: int, seconds: int) -> Manifest:
    return {
        "apiVersion": _GROUP,
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": f"away-{uuid.uuid4().hex[:8]}"},
        "webhooks": [
            {
                "name": "inject.mesh.example",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "timeoutSeconds": seconds,
                "clientConfig": {"url": f"https://127.0.0.1:{port}/inject"},
                "namespaceSelector": _only(namespace),
                "rules": Rules(["pods"]).manifest,
            }
        ],
    }


_SPEC: Manifest = {
    "containers": [{"name": "one", "image": "registry.example/one"}],
    "schedulingGates": [{"name": "example.com/held"}],
}


def _pod(namespace: str) -> Attempt:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "attempt"},
        "spec": _SPEC,
    }
    return Attempt("POST", f"/api/v1/namespaces/{namespace}/pods", body)


@contextlib.asynccontextmanager
async def _policy(
    cluster: Cluster, namespace: str, kind: str, spec: Manifest, binding: Manifest
) -> AsyncIterator[None]:
    metadata = {"name": f"test-{uuid.uuid4().hex[:8]}"}
    policy = {
        "apiVersion": _GROUP,
        "kind": kind,
        "metadata": metadata,
        "spec": {"failurePolicy": "Fail", **spec},
    }
    bound = {
        "apiVersion": _GROUP,
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "spec": {
            "policyName": metadata["name"],
            "matchResources": {"namespaceSelector": _only(namespace)},
            **binding,
        },
    }
    async with _applied(cluster, policy, bound):
        yield


@contextlib.asynccontextmanager
async def _applied(cluster: Cluster, *manifests: Manifest) -> AsyncIterator[None]:
    await cluster.apply(manifests)
    try:
        yield
    finally:
        for manifest in manifests:
            await cluster.delete(manifest)


def _only(namespace: str) -> Manifest:
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
