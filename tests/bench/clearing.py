"""Removing what a round has written, so that no round is measured on what another left."""

import asyncio
from typing import Any

from deploy.local.cluster import ClusterError
from krkn_grpc.resources import labels, names
from tests.bench.bench import Bench
from tests.support.custom_objects import JOBS, MERGE, collection

_AT_ONCE = 32


async def clear(bench: Bench) -> None:
    """Remove all jobs and all that belongs to them, and wait until everything is quiet."""
    for namespace in (bench.namespace, bench.bare_namespace):
        await _clear(bench, namespace)
    await bench.quiet()


async def _clear(bench: Bench, namespace: str) -> None:
    core = f"/api/v1/namespaces/{namespace}"
    while True:
        jobs = await _release(bench, collection(JOBS, namespace))
        pods = await _release(bench, f"{core}/pods")
        if not jobs and not pods:
            break
        await asyncio.sleep(0.1)
    await bench.cluster.request(
        "DELETE", f"{core}/secrets", labelSelector=f"{labels.APP}={labels.APP_SCENARIO}"
    )
    await bench.cluster.request("DELETE", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")
    await _forget_requests(bench, f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases")


async def _release(bench: Bench, path: str) -> int:
    """Delete a collection, its finalizers too; return how many there were."""
    items: list[Any] = (await bench.cluster.request("GET", path))["items"]
    if not items:
        return 0
    await bench.cluster.request("DELETE", path, gracePeriodSeconds="0")
    places = asyncio.Semaphore(_AT_ONCE)

    async def release(name: str) -> None:
        async with places:
            try:
                part: Any = {"metadata": {"finalizers": None}}
                await bench.cluster.request("PATCH", f"{path}/{name}", part, MERGE)
            except ClusterError as error:
                if error.status != 404:
                    raise

    held = (item["metadata"] for item in items if item["metadata"].get("finalizers"))
    await asyncio.gather(*(release(metadata["name"]) for metadata in held))
    return len(items)


async def _forget_requests(bench: Bench, path: str) -> None:
    leases = (await bench.cluster.request("GET", path))["items"]
    for lease in leases:
        if names.is_request_record(lease["metadata"]["name"]):
            await bench.cluster.request("DELETE", f"{path}/{lease['metadata']['name']}")
