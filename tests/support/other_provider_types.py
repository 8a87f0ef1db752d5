"""What the other provider knows of the objects that all providers share, and what it is told."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Manifest = dict[str, Any]

NAME = "krkn-operator-acm"
KEY = "managed-clusters"
# The fields of its own types; what else an object has is lost when it writes the object.
_METADATA = ("name", "namespace", "uid", "resourceVersion", "labels", "annotations")
_STATUS = ("status", "targetData", "completed")
_ITEM = ("cluster-name", "cluster-api-url", "online", "checked-at", "cluster-status")
ENTRY = ("cluster-name", "cluster-api", "kubeconfig")


@dataclass(frozen=True)
class Instructions:
    """How it behaves."""

    url: str
    ca_pem: str
    token: str
    namespace: str
    name: str = NAME
    clusters: Sequence[str] = ("hub", "edge")
    beat_seconds: float = 1.0
    """Its timestamp has whole seconds."""
    slow_seconds: float = 0.0
    """How long it looks at its clusters before it contributes."""
    completes: bool = True
    """Whether it completes requests, as the real one does."""
    races: bool = False
    """It finds no Secret, and creates its own only when another provider has been faster."""
    die_after: str = ""
    """It is gone after this step: active, label, pending, secret, status."""


def url(cluster: str) -> str:
    """The address of one of its clusters."""
    return f"https://{cluster}.example.com:6443"


def section(clusters: Sequence[str]) -> dict[str, dict[str, str]]:
    """What it writes into the Secret."""
    return {
        each: {
            "cluster-name": each,
            "cluster-api": url(each),
            "kubeconfig": base64.b64encode(f"kubeconfig of {each}".encode()).decode(),
        }
        for each in clusters
    }


def target_data(clusters: Sequence[str]) -> list[Manifest]:
    """What it writes into the request."""
    return [
        {
            "cluster-name": each,
            "cluster-api-url": url(each),
            "online": True,
            "checked-at": "2026-09-30T10:00:00Z",
            "cluster-status": "healthy",
        }
        for each in clusters
    ]


def own_view(item: Manifest) -> Manifest:
    """A request as its types hold it."""
    status = kept(item.get("status", {}), _STATUS)
    if data := status.get("targetData"):
        status["targetData"] = {
            provider: [kept(each, _ITEM) for each in clusters]
            for provider, clusters in data.items()
        }
    return {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "metadata": kept(item["metadata"], _METADATA),
        "spec": {"uuid": item["spec"]["uuid"]},
        "status": status,
    }


def kept(item: Manifest, fields: tuple[str, ...]) -> Manifest:
    """Return the fields that its types have."""
    return {name: item[name] for name in fields if name in item}


def now() -> str:
    """The time in its own form, with whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
