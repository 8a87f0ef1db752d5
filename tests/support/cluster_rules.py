"""Rules that an administrator makes for a namespace: policies, webhooks, quotas."""

import asyncio
import contextlib
import itertools
import math
import time
import uuid
from collections.abc import AsyncIterator, Sequence

from deploy.local.cluster.api import Cluster, ClusterError
from tests.support.custom_objects import MERGE, Manifest
from tests.support.waiting import eventually

ADMISSION = "admissionregistration.k8s.io/v1"
SAID = "label team is required"
WEBHOOK = "inject.mesh.example"


def _rule(resource: str, operations: Sequence[str]) -> Manifest:
    """These writes of `group/resource`, or of a resource of the core group."""
    group, _, plural = resource.rpartition("/")
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": list(operations),
        "resources": [plural],
    }


@contextlib.asynccontextmanager
async def a_policy(
    cluster: Cluster,
    namespace: str,
    resources: str | Sequence[str],
    reason: str,
    *,
    operations: Sequence[str] = ("CREATE",),
    message_expression: str = "",
) -> AsyncIterator[str]:
    """Deny these writes to everybody; gives the policy's name. One at a time in a namespace."""
    name = f"{namespace}-{uuid.uuid4().hex[:6]}"
    validation = {"expression": "false", "message": SAID, "reason": reason}
    if message_expression:
        validation["messageExpression"] = message_expression
    policy = {
        "apiVersion": ADMISSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": _rules(resources, operations)},
            "validations": [validation],
        },
    }
    binding = {
        "apiVersion": ADMISSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": _only(namespace)},
        },
    }
    async with _applied(cluster, namespace, policy, binding):
        yield name


@contextlib.asynccontextmanager
async def a_webhook_that_is_away(
    cluster: Cluster,
    namespace: str,
    resources: str | Sequence[str],
    operations: Sequence[str] = ("CREATE",),
) -> AsyncIterator[None]:
    """Let a webhook be asked about these writes that nobody answers for."""
    webhook = {
        "name": WEBHOOK,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 2,
        "clientConfig": {"url": "https://127.0.0.1:9/inject"},
        "namespaceSelector": _only(namespace),
        "rules": _rules(resources, operations),
    }
    manifest = {
        "apiVersion": ADMISSION,
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": f"{namespace}-{uuid.uuid4().hex[:6]}"},
        "webhooks": [webhook],
    }
    async with _applied(cluster, namespace, manifest):
        yield


async def make_quota(
    cluster: Cluster, namespace: str, counted: str, hard: int, name: str = "q"
) -> str:
    """Limit how many there may be of a kind; return the path of the quota."""
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    limit = {counted: str(hard)}
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name},
        "spec": {"hard": limit},
    }
    await cluster.request("POST", path, quota)
    # What the quota controller does, which the local cluster has not.
    status = {"status": {"hard": limit, "used": {counted: "0"}}}
    await cluster.request("PATCH", f"{path}/{name}/status", status, MERGE)
    return f"{path}/{name}"


@contextlib.asynccontextmanager
async def others_count(
    cluster: Cluster, quota: str, *, seconds: float = math.inf, writers: int = 3
) -> AsyncIterator[None]:
    """Have others write the quota's status all the while, as a second API server does.

    Without a pause they may win every time, so a test of what succeeds in the end gives `seconds`.
    """
    end = time.monotonic() + seconds

    async def write(number: int) -> None:
        for count in itertools.count():
            if time.monotonic() > end:
                return
            change = {"metadata": {"annotations": {"x": f"{number}-{count}"}}}
            await cluster.request("PATCH", f"{quota}/status", change, MERGE)

    writing = [asyncio.create_task(write(number)) for number in range(writers)]
    try:
        yield
    finally:
        for task in writing:
            task.cancel()
        await asyncio.wait(writing)


def _rules(resources: str | Sequence[str], operations: Sequence[str]) -> list[Manifest]:
    """What a rule is for; and for what is nobody's, by which is found out whether it holds yet."""
    each = [resources] if isinstance(resources, str) else resources
    return [*(_rule(resource, operations) for resource in each), _rule("configmaps", ["CREATE"])]


def _only(namespace: str) -> Manifest:
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


@contextlib.asynccontextmanager
async def _applied(cluster: Cluster, namespace: str, *rules: Manifest) -> AsyncIterator[None]:
    """Apply the rules, wait until they hold, and until they do no more at the end."""
    await cluster.apply(rules)
    try:
        await eventually(lambda: _is_denied(cluster, namespace))
        yield
    finally:
        for each in rules:
            await cluster.delete(each)
        await eventually(lambda: _is_denied(cluster, namespace), lambda denied: not denied)


async def _is_denied(cluster: Cluster, namespace: str) -> bool:
    probe = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"probe-{uuid.uuid4().hex[:8]}"},
    }
    path = f"/api/v1/namespaces/{namespace}/configmaps?dryRun=All"
    try:
        await cluster.request("POST", path, probe)
    except ClusterError:
        return True
    return False
