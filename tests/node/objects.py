"""Writes down what a test left, for whoever looks into a failure."""

import asyncio
import contextlib
import json
from pathlib import Path

from deploy.local.cluster.api import Cluster, ClusterError
from tests.support.custom_objects import JOBS, collection


async def write_objects(cluster: Cluster, namespace: str, file: Path) -> None:
    """Write down what a test left in the namespace: jobs, pods and events."""
    paths = (
        collection(JOBS, namespace),
        f"/api/v1/namespaces/{namespace}/pods",
        f"/api/v1/namespaces/{namespace}/events",
    )
    objects = []
    for path in paths:
        with contextlib.suppress(ClusterError):  # a kind that is no more
            objects.append(await cluster.request("GET", path))
    await asyncio.to_thread(file.write_text, json.dumps(objects, indent=1))
