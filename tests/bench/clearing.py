"""Removing what a round has written, so that no round is measured on what another left."""

import asyncio
import contextlib

from deploy.local.cluster.api import ClusterError
from krkn_grpc.resources import well_known
from tests.bench.bare import each
from tests.bench.bench import Bench
from tests.support.custom_objects import JOBS, RUNS, Manifest, collection

_AT_ONCE = 32


async def clear(bench: Bench) -> None:
    """Remove all jobs and all that belongs to them, and wait until everything is quiet."""
    for namespace in (bench.namespace, bench.bare_namespace):
        await _clear(bench, namespace)
    await bench.quiet()


async def _clear(bench: Bench, namespace: str) -> None:
    core = f"/api/v1/namespaces/{namespace}"
    while True:
        jobs = await _remove(bench, collection(JOBS, namespace))
        pods = await _remove(bench, f"{core}/pods")
        if not jobs and not pods:
            break
        await asyncio.sleep(0.1)
    await _remove(bench, f"{core}/secrets", f"{well_known.APP}={well_known.APP_SCENARIO}")
    await _remove(bench, f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")
    await _remove(bench, collection(RUNS, namespace))


async def _remove(bench: Bench, path: str, selector: str = "") -> int:
    """Delete objects of a kind, many at once, which is faster than as a collection; count them."""
    listed = await bench.cluster.request("GET", path, labelSelector=selector)
    found = [item["metadata"] for item in listed["items"]]

    async def remove(metadata: Manifest) -> None:
        one = f"{path}/{metadata['name']}"
        with contextlib.suppress(ClusterError):  # gone: whoever else is at work was faster
            await bench.cluster.request("DELETE", one, gracePeriodSeconds="0")

    await each(found, remove, _AT_ONCE)
    return len(found)
