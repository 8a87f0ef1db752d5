"""etcd's own API, past the API server: what it no longer keeps, nobody can tell any more."""

import base64
from typing import Any

import aiohttp

from deploy.local.cluster.components import ETCD_CLIENTS
from deploy.local.cluster.control_plane import ControlPlane


async def compact(control_plane: ControlPlane) -> int:
    """Forget all history up to now, as etcd does every five minutes; return the revision."""
    socket = control_plane.admin_kubeconfig.with_name(ETCD_CLIENTS.removeprefix("unix://"))
    connector = aiohttp.UnixConnector(str(socket))
    async with aiohttp.ClientSession("http://localhost", connector=connector) as session:
        key = base64.b64encode(b"any").decode()
        found = await _ask(session, "range", {"key": key, "countOnly": True})
        revision = int(found["header"]["revision"])
        await _ask(session, "compaction", {"revision": str(revision), "physical": True})
    return revision


async def _ask(session: aiohttp.ClientSession, what: str, body: dict[str, Any]) -> dict[str, Any]:
    async with session.post(f"/v3/kv/{what}", json=body) as answer:
        content: dict[str, Any] = await answer.json(content_type=None)
        assert answer.status == 200, content
        return content
