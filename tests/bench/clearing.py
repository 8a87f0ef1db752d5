"""Removing what a round has written, so that no round is measured on what another left."""

import asyncio

from deploy.local.cluster import ClusterError
from krkn_grpc.resources import labels, names
from tests.bench.bare import each
from tests.bench.bench import Bench
from tests.support.custom_objects import JOBS, MERGE, Manifest, collection

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
    """Delete a collection; return how many there were.

    Finalizers go first: then nobody has anything to do for what is deleted.
    """
    found = [item["metadata"] for item in (await bench.cluster.request("GET", path))["items"]]
    if not found:
        return 0
    held = [metadata["name"] for metadata in found if metadata.get("finalizers")]
    part: Manifest = {"metadata": {"finalizers": None}}
    await each(held, lambda name: _unless_gone(bench, "PATCH", f"{path}/{name}", part), _AT_ONCE)
    await bench.cluster.request("DELETE", path, gracePeriodSeconds="0")
    return len(found)


async def _forget_requests(bench: Bench, path: str) -> None:
    leases = [
        item["metadata"]["name"] for item in (await bench.cluster.request("GET", path))["items"]
    ]
    records = filter(names.is_request_record, leases)
    await each(records, lambda name: _unless_gone(bench, "DELETE", f"{path}/{name}"), _AT_ONCE)


async def _unless_gone(bench: Bench, method: str, path: str, part: Manifest | None = None) -> None:
    try:
        await bench.cluster.request(method, path, part, MERGE if part else "application/json")
    except ClusterError as error:
        if error.status != 404:
            raise
