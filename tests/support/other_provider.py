"""Another provider of targets, as a program: it does what krkn-operator-acm does.

Run as `python -m tests.support.other_provider INSTRUCTIONS`; INSTRUCTIONS is the JSON of an
`Instructions`. It writes whole objects of its own types, so it takes away every field that it does
not know. Each step that it has done is a line of JSON on standard output.
"""

import asyncio
import base64
import contextlib
import json
import os
import signal
import sys
from collections import deque

import aiohttp

from krkn_grpc.resources.meta import API_VERSION, GROUP
from tests.support.other_provider_types import (
    ENTRY,
    KEY,
    Instructions,
    Manifest,
    kept,
    now,
    own_view,
    section,
    target_data,
)
from tests.support.plain_api import ABSENT, CONFLICT, FORBIDDEN, PlainApi, Refused, plain_api
from tests.support.waiting import eventually

POLL_SECONDS = 0.005


class OtherProvider:
    """The provider; `run` it."""

    def __init__(self, told: Instructions, api: PlainApi) -> None:
        self._told = told
        self._api = api
        base = f"/apis/{API_VERSION}/namespaces/{told.namespace}"
        self._requests = f"{base}/krkntargetrequests"
        self._providers = f"{base}/krknoperatortargetproviders"
        self._secrets = f"/api/v1/namespaces/{told.namespace}/secrets"
        self._queue: deque[str] = deque()
        self._woken = asyncio.Event()
        self._raced: set[str] = set()

    async def run(self) -> None:
        """Work until SIGTERM, which it answers by saying that it is inactive."""
        over = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
        await self._register()
        tasks = [asyncio.create_task(each) for each in (self._beat(), self._watch(), self._work())]
        ended = asyncio.create_task(over.wait())
        await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()  # raises: it broke
            task.cancel()
        await self._say_active(active=False)

    async def _register(self) -> None:
        new = self._object("KrknOperatorTargetProvider", self._told.name)
        new["spec"] = {"operator-name": self._told.name, "active": True}
        await eventually(lambda: self._create(new))
        await self._say_active(active=True)
        await self._beat_once()
        self._did("active")

    async def _create(self, new: Manifest) -> bool:
        """Create it unless it is there; False while the API server does not know our rights."""
        try:
            await self._api.call("POST", self._providers, new)
        except Refused as refused:
            if refused.status not in (CONFLICT, FORBIDDEN):
                raise
            return refused.status == CONFLICT
        return True

    async def _say_active(self, *, active: bool) -> None:
        path = f"{self._providers}/{self._told.name}"
        while True:
            known = await self._api.call("GET", path)
            known["spec"]["active"] = active
            if await self._api.put(path, known):
                return

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._told.beat_seconds)
            await self._beat_once()

    async def _beat_once(self) -> None:
        path = f"{self._providers}/{self._told.name}"
        with contextlib.suppress(Refused):
            known = await self._api.call("GET", path)
            known["status"] = {"timestamp": now()}
            await self._api.put(f"{path}/status", known)

    async def _watch(self) -> None:
        """Be woken by events of requests, and by nothing else."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, Refused):
                listed = await self._api.call("GET", self._requests)
                for item in listed["items"]:
                    self._wake(item["metadata"]["name"])
                revision = listed["metadata"]["resourceVersion"]
                async for change in self._api.watch(self._requests, revision):
                    if change["type"] in ("ADDED", "MODIFIED"):
                        self._wake(change["object"]["metadata"]["name"])

    def _wake(self, request: str) -> None:
        if request not in self._queue:
            self._queue.append(request)
        self._woken.set()

    async def _work(self) -> None:
        """Go through the requests, one at a time."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._queue:
                request = self._queue.popleft()
                try:
                    await self._pass(request)
                except Refused as refused:
                    self._say(request=request, refused=str(refused))
                    if refused.status == CONFLICT:
                        self._wake(request)
                        await asyncio.sleep(POLL_SECONDS)

    async def _pass(self, name: str) -> None:
        path = f"{self._requests}/{name}"
        try:
            request = own_view(await self._api.call("GET", path))
        except Refused as refused:
            if refused.status != ABSENT:
                raise
            return
        status = request["status"]
        if status.get("status") == "Completed":
            return
        if not status.get("status"):
            labels = request["metadata"].setdefault("labels", {})
            if labels.get(f"{GROUP}/uuid") != name:
                labels[f"{GROUP}/uuid"] = name
                await self._api.call("PUT", path, request)
                self._did("label", name)
                request = own_view(await self._api.call("GET", path))
            request["status"]["status"] = "pending"
            await self._api.call("PUT", f"{path}/status", request)
            self._did("pending", name)
            return  # its own change wakes it
        active = await self._active()
        if self._told.name not in active:
            return
        data = status.setdefault("targetData", {})
        contributes = self._told.name not in data
        if contributes:
            await asyncio.sleep(self._told.slow_seconds)
            await self._write_secret(request)
            self._did("secret", name)
            data[self._told.name] = target_data(self._told.clusters)
        completes = self._told.completes and len(data) >= len(active) > 0
        if completes:
            status |= {"status": "Completed", "completed": now()}
        if contributes or completes:
            await self._api.call("PUT", f"{path}/status", request)
            self._did("status", name, completed=completes)

    async def _write_secret(self, request: Manifest) -> None:
        """Write its section first; whoever creates the Secret too loses all that was there."""
        name = request["metadata"]["name"]
        path = f"{self._secrets}/{name}"
        own = {self._told.name: section(self._told.clusters)}
        is_racing = self._told.races and name not in self._raced
        known = None if is_racing else await self._secret(path)
        if known is not None:
            text = base64.b64decode(known["data"][KEY])
            theirs = {
                provider: {cluster: kept(entry, ENTRY) for cluster, entry in entries.items()}
                for provider, entries in json.loads(text).items()
            }
            await self._put_secret(path, known, request, theirs | own)
            return
        if is_racing:
            self._raced.add(name)
            await eventually(lambda: self._secret(path), pause=POLL_SECONDS)
        new = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque"}
        try:
            await self._put_secret("", new, request, own)
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
            found = await self._api.call("GET", path)
            self._did("overwrites", name)
            await self._put_secret(path, found, request, own)

    async def _put_secret(
        self, path: str, secret: Manifest, request: Manifest, sections: Manifest
    ) -> None:
        secret["metadata"]["ownerReferences"] = [
            {
                "apiVersion": API_VERSION,
                "kind": "KrknTargetRequest",
                "name": request["metadata"]["name"],
                "uid": request["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        text = json.dumps(sections, separators=(",", ":"))
        secret["data"] = {KEY: base64.b64encode(text.encode()).decode()}
        await self._api.call("PUT" if path else "POST", path or self._secrets, secret)

    async def _secret(self, path: str) -> Manifest | None:
        try:
            return await self._api.call("GET", path)
        except Refused as refused:
            if refused.status != ABSENT:
                raise
            return None

    async def _active(self) -> list[str]:
        listed = await self._api.call("GET", self._providers)
        specs = [item["spec"] for item in listed["items"]]
        return [spec["operator-name"] for spec in specs if spec.get("active")]

    def _object(self, kind: str, name: str) -> Manifest:
        metadata = {"name": name, "namespace": self._told.namespace}
        return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata}

    def _did(self, step: str, request: str = "", **more: object) -> None:
        self._say(did=step, request=request, **more)
        if step == self._told.die_after:
            os._exit(1)

    def _say(self, **said: object) -> None:
        print(json.dumps(said), flush=True)  # noqa: T201  # the lines are its log


async def _main(told: Instructions) -> None:
    async with plain_api(told.url, told.ca_pem, told.token) as api:
        await OtherProvider(told, api).run()


if __name__ == "__main__":
    asyncio.run(_main(Instructions(**json.loads(sys.argv[1]))))
