"""Kept logs as the API server has them."""

import base64
import gzip

from deploy.local.cluster.api import Cluster
from krkn_grpc.resources import well_known
from tests.support.custom_objects import LOGS, Manifest, collection


async def kept_logs(cluster: Cluster, namespace: str) -> dict[str, Manifest]:
    """Return all kept logs of a namespace, by the ids of their jobs."""
    listed = await cluster.request("GET", collection(LOGS, namespace))
    return {each["metadata"]["name"]: each for each in listed["items"]}


def text_of(log: Manifest) -> bytes:
    """Return the text that was kept."""
    return gzip.decompress(base64.b64decode(log["spec"]["content"]))


def stored_bytes(log: Manifest) -> int:
    """Return what the log says of its own size."""
    return int(log["metadata"]["annotations"][well_known.STORED_BYTES])


def why_not_kept(status: Manifest) -> str:
    """Return why a job's log was not kept; empty when its status does not say that."""
    found = [each for each in status.get("conditions", []) if each["type"] == "LogNotKept"]
    return found[0]["reason"] if found else ""
