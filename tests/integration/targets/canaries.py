"""Looks everywhere but in Secrets for a text that must be nowhere else."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from deploy.local.cluster.api import Cluster


def forms(marker: str) -> list[bytes]:
    """The marker, and what is always in it when it is encoded together with other text."""
    raw = marker.encode()
    encoded = []
    for before in range(3):
        # Without the characters that hold bits of what stands before and after.
        text = base64.b64encode(bytes(before) + raw)
        encoded.append(text[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6])
    return [raw, raw.hex().encode(), *encoded]


def found_in(content: bytes, markers: Iterable[str]) -> list[str]:
    """The markers that a text has in it, in whatever form."""
    lower = content.lower()
    return [
        marker
        for marker in markers
        if any(form in content or form.lower() in lower for form in forms(marker))
    ]


async def stored(cluster: Cluster, namespace: str) -> dict[str, bytes]:
    """Return everything in a namespace by its place, as the API server gives it to a list."""
    kinds = [kind async for kind in _listable(cluster)]
    places = [f"{root}/namespaces/{namespace}/{plural}" for root, plural in kinds]
    listed = await asyncio.gather(*(cluster.request("GET", place) for place in places))
    return {
        place: json.dumps(each).encode()
        for place, each in zip(places, listed, strict=True)
        if each.get("items")
    }


def written(folders: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Give each log in the folders."""
    for folder in folders:
        for path in folder.rglob("*.log"):
            yield str(path), path.read_bytes()


async def _listable(cluster: Cluster) -> AsyncIterator[tuple[str, str]]:
    groups = (await cluster.request("GET", "/apis"))["groups"]
    roots = ["/api/v1", *(f"/apis/{group['preferredVersion']['groupVersion']}" for group in groups)]
    for root in roots:
        for resource in (await cluster.request("GET", root))["resources"]:
            if resource["namespaced"] and "list" in resource["verbs"]:
                yield root, resource["name"]
