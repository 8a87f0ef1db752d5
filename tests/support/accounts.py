"""Calls to the API server as somebody who is not the administrator."""

import contextlib
import ssl
from collections.abc import AsyncIterator

from deploy.local.cluster.api import Cluster, ClusterError
from deploy.local.cluster.control_plane import ControlPlane
from deploy.local.cluster.credentials import Credentials
from tests.support.custom_objects import JOBS, collection
from tests.support.waiting import eventually

RBAC = "rbac.authorization.k8s.io"


@contextlib.asynccontextmanager
async def acting_as(
    control_plane: ControlPlane, namespace: str, account: str
) -> AsyncIterator[Cluster]:
    """Calls as the ServiceAccount, and as nobody else."""
    token = await control_plane.cluster.token(namespace, account, seconds=600)
    async with with_token(control_plane, token) as cluster:
        yield cluster


def with_token(control_plane: ControlPlane, token: str) -> Cluster:
    """Calls with this bearer token and no certificate."""
    tls = ssl.create_default_context(cadata=control_plane.ca_pem)
    headers = {"Authorization": f"Bearer {token}"}
    return Cluster(Credentials(control_plane.url, control_plane.ca_pem, tls, headers))


async def make_account(cluster: Cluster, namespace: str, account: str, *roles: str) -> None:
    """Make a ServiceAccount and bind it to these roles of the namespace."""
    metadata = {"name": account, "namespace": namespace}
    subject = {"kind": "ServiceAccount", **metadata}
    bindings = [
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": f"{account}-{role}", "namespace": namespace},
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": role},
            "subjects": [subject],
        }
        for role in roles
    ]
    manifest = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    await cluster.apply([manifest, *bindings])


async def until_bound(cluster: Cluster, namespace: str, plural: str = JOBS) -> None:
    """Wait until the API server knows that the caller may list these; it learns that late."""
    path = collection(plural, namespace)

    async def may_list() -> bool:
        try:
            await cluster.request("GET", path)
        except ClusterError as error:
            if error.status != 403:
                raise
            return False
        return True

    await eventually(may_list)
