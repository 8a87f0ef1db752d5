"""Target clusters for a first try: kubeconfigs that can be registered unchanged.

There is only one cluster on this machine, so all of them lead to its API server, each by its own
address (two targets never share a URL). Their user may read and delete the pods of the namespace
krkn-demo, and nothing else: the target's credential determines what a scenario may do.
"""

import asyncio
import contextlib
from pathlib import Path

from deploy.local.cluster.api import Cluster, Manifest
from deploy.local.processes.ports import LOOPBACK
from deploy.local.relay import Relay

NAMESPACE = "krkn-demo"
ACCOUNT = "demo-target"
COUNT = 3
TOKEN_SECONDS = 30 * 24 * 3600


async def write_demo_targets(
    cluster: Cluster,
    api_server_port: int,
    folder: Path,
    stack: contextlib.AsyncExitStack,
    state: Path | None = None,
) -> list[Path]:
    """Write demo-target-1.kubeconfig and so on; their addresses work while `stack` is open.

    With `state`, a folder, the addresses are those of the run before if they are free still: what
    was registered then is ready again.
    """
    await cluster.apply(_account())

    async def write(number: int) -> Path:
        kept = None if state is None else state / f"demo-target-{number}.port"
        relay = await _relay(api_server_port, kept, stack)
        return await cluster.write_account_kubeconfig(
            folder / f"demo-target-{number}.kubeconfig",
            NAMESPACE,
            ACCOUNT,
            seconds=TOKEN_SECONDS,
            url=f"https://{LOOPBACK}:{relay.port}",
        )

    return await asyncio.gather(*(write(number) for number in range(1, COUNT + 1)))


async def _relay(target_port: int, kept: Path | None, stack: contextlib.AsyncExitStack) -> Relay:
    if (before := _port_before(kept)) is not None:
        with contextlib.suppress(OSError):
            return await stack.enter_async_context(Relay(target_port, port=before))
    relay = await stack.enter_async_context(Relay(target_port))
    _keep(relay.port, kept)
    return relay


def _port_before(kept: Path | None) -> int | None:
    return int(kept.read_text()) if kept is not None and kept.exists() else None


def _keep(port: int, kept: Path | None) -> None:
    if kept is not None:
        kept.write_text(str(port))


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
