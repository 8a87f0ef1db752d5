"""Target clusters for a first try: kubeconfigs that can be registered as they are.

There is one cluster on this machine, so all of them lead to its API server, each by an address of
its own (two targets never share a URL). Their user may look at the pods of the namespace
krkn-demo and delete them, and nothing else: what a scenario may do, its target's credential says.
"""

import asyncio
import contextlib
from pathlib import Path

from deploy.local.cluster import Cluster, Manifest
from deploy.local.ports import LOOPBACK
from deploy.local.relay import Relay

NAMESPACE = "krkn-demo"
ACCOUNT = "demo-target"
COUNT = 3
TOKEN_SECONDS = 30 * 24 * 3600


async def write_demo_targets(
    cluster: Cluster, api_server_port: int, folder: Path, stack: contextlib.AsyncExitStack
) -> list[Path]:
    """Write demo-target-1.kubeconfig and so on; they lead somewhere while `stack` is open."""
    await cluster.apply(_account())

    async def write(number: int) -> Path:
        relay = await stack.enter_async_context(Relay(api_server_port))
        return await cluster.write_account_kubeconfig(
            folder / f"demo-target-{number}.kubeconfig",
            NAMESPACE,
            ACCOUNT,
            seconds=TOKEN_SECONDS,
            url=f"https://{LOOPBACK}:{relay.port}",
        )

    return await asyncio.gather(*(write(number) for number in range(1, COUNT + 1)))


def _account() -> list[Manifest]:
    metadata = {"name": ACCOUNT, "namespace": NAMESPACE}
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["pods"],
                    "verbs": ["get", "list", "watch", "delete"],
                }
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", **metadata}],
        },
    ]
