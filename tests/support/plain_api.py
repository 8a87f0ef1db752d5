"""The API server as a program in another language speaks to it: plain JSON, no model of ours."""

import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

Manifest = dict[str, Any]

FORBIDDEN, ABSENT, CONFLICT = 403, 404, 409


class Refused(Exception):
    """The API server's answer was not a success."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


@dataclass(frozen=True)
class PlainApi:
    """Calls with one account's token."""

    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: Manifest | None = None) -> Manifest:
        """Return the object of the answer."""
        async with self.session.request(method, path, json=body) as answer:
            if answer.status >= 400:
                raise Refused(answer.status, (await answer.text())[:300])
            found: Manifest = await answer.json()
            return found

    async def put(self, path: str, manifest: Manifest) -> bool:
        """Replace the object; False after a conflict."""
        try:
            await self.call("PUT", path, manifest)
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
            return False
        return True

    async def watch(self, path: str, revision: str) -> AsyncIterator[Manifest]:
        """Give each change after the revision, until the watch ends."""
        query = {"watch": "1", "resourceVersion": revision}
        async with self.session.get(path, params=query) as answer:
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)


@contextlib.asynccontextmanager
async def plain_api(url: str, ca_pem: str, token: str) -> AsyncIterator[PlainApi]:
    """Connect to the API server."""
    async with aiohttp.ClientSession(
        url,
        connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=ca_pem)),
        headers={"Authorization": f"Bearer {token}"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
    ) as session:
        yield PlainApi(session)
