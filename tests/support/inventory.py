"""What the server has written into a namespace, to see that a refused request left nothing."""

import re

from deploy.local.cluster.api import Cluster
from krkn_grpc.resources.meta import API_VERSION
from tests.support.custom_objects import JOBS, TARGETS

_OURS = f"/apis/{API_VERSION}"
_COLLECTIONS = {
    JOBS: _OURS,
    TARGETS: _OURS,
    "secrets": "/api/v1",
    "leases": "/apis/coordination.k8s.io/v1",
}
# The controller's copy of a kubeconfig, which appears whenever it comes to a job of another test.
_BY_THE_CONTROLLER = re.compile(r"secrets/krkn-job-[0-9a-f-]{36}")


async def written(cluster: Cluster, namespace: str) -> set[str]:
    """Return `plural/name` of every object that a request makes the server create."""
    found = set()
    for plural, group in _COLLECTIONS.items():
        listed = await cluster.request("GET", f"{group}/namespaces/{namespace}/{plural}")
        found |= {f"{plural}/{item['metadata']['name']}" for item in listed["items"] or ()}
    return {name for name in found if not _BY_THE_CONTROLLER.fullmatch(name)}
