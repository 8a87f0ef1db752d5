"""Every version of every object that the API server ever had, as a watch of its own sees them."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from krkn_grpc.kube.access import ClusterAccess
from tests.support.custom_objects import JOBS, LOGS, REQUESTS, RUNS, Manifest, collection
from tests.support.waiting import SECONDS, eventually

ENDPOINT_SLICES = "endpointslices"
_PATHS = {
    "pods": "/api/v1/namespaces/{}/pods",
    JOBS: collection(JOBS, "{}"),
    REQUESTS: collection(REQUESTS, "{}"),
    RUNS: collection(RUNS, "{}"),
    LOGS: collection(LOGS, "{}"),
    "secrets": "/api/v1/namespaces/{}/secrets",
    ENDPOINT_SLICES: f"/apis/discovery.k8s.io/v1/namespaces/{{}}/{ENDPOINT_SLICES}",
}
_OURS = ("pods", JOBS, REQUESTS, RUNS, LOGS, "secrets")


_GONE = 410


class _Forgotten(Exception):
    """The API server does not know any more what changed since the revision."""


class ObjectWatch:
    """Watches pods, jobs, runs, kept logs, target requests and Secrets of a namespace, or `kinds`.

    It goes past any proxy. With `may_list_anew` it goes on after the API server has forgotten what
    changed meanwhile, and has then missed the versions in between; else that makes the test fail.
    """

    def __init__(
        self,
        kubeconfig: Path,
        namespace: str,
        kinds: Sequence[str] = _OURS,
        *,
        may_list_anew: bool = False,
    ) -> None:
        self._kubeconfig = kubeconfig
        self._kinds = kinds
        self.on_change: Callable[[], None] = lambda: None
        """Called whenever something has changed."""
        self._may_list_anew = may_list_anew
        self._namespace = namespace
        self._seen: dict[tuple[str, str], list[Manifest]] = {}
        self._there: dict[tuple[str, str], Manifest] = {}
        self.gone_at: dict[str, int] = {}
        """By uid, the revision at which an object was no more."""
        self.is_whole = True
        """Whether no version was missed."""
        self._tasks: list[asyncio.Task[None]] = []
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Watch from now on."""
        access = await ClusterAccess.load(self._kubeconfig)
        connector = aiohttp.TCPConnector(ssl=access.tls(), limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(access.url, connector=connector, timeout=timeout)
        )
        for plural in self._kinds:
            path = _PATHS[plural].format(self._namespace)
            revision = await self._list(plural, path)
            self._tasks.append(asyncio.create_task(self._watch(plural, path, revision)))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop watching; a watch that broke makes the test fail, whatever it saw."""
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()
        if error is None:
            for result in ended:
                if not isinstance(result, asyncio.CancelledError):
                    raise AssertionError(f"a watch ended: {result!r}")

    def versions_of(self, plural: str, name: str) -> list[Manifest]:
        """Return the versions of an object in their order; of all that had this name."""
        return self._seen.get((plural, name), [])

    def latest(self, plural: str, name: str) -> Manifest | None:
        """Return the object as it is now, None when it is not there (any more)."""
        return self._there.get((plural, name))

    def all(self, plural: str) -> list[Manifest]:
        """Return all objects of a kind as they are now."""
        return [item for (kind, _), item in self._there.items() if kind == plural]

    async def until(
        self, what: str, holds: Callable[[], object], *, seconds: float = SECONDS
    ) -> None:
        """Wait until something holds that is said with `latest`; costs the API server nothing."""

        async def look() -> object:
            return holds()

        try:
            await eventually(look, seconds=seconds)
        except AssertionError:
            broken = [task.exception() for task in self._tasks if task.done()]
            raise AssertionError(f"not {what} in {seconds:.0f} s {broken or ''}") from None

    def names(self, plural: str) -> list[str]:
        """Return the names of all objects of a kind that were ever there."""
        return [name for kind, name in self._seen if kind == plural]

    async def _list(self, plural: str, path: str) -> str:
        async with self._session.get(path, raise_for_status=True) as answer:
            listed = await answer.json()
        revision: str = listed["metadata"]["resourceVersion"]
        items = {item["metadata"]["name"]: item for item in listed["items"]}
        for key in [key for key in self._there if key[0] == plural]:
            known = self._there[key]["metadata"]
            if key[1] not in items or items[key[1]]["metadata"]["uid"] != known["uid"]:
                del self._there[key]
                self.gone_at[known["uid"]] = int(revision)
        for item in items.values():
            self._add(plural, item)
        self.on_change()
        return revision

    async def _watch(self, plural: str, path: str, revision: str) -> None:
        while True:
            query = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": revision}
            # The API server may be restarted; what it has is still there afterwards.
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                try:
                    async with self._session.get(path, params=query) as answer:
                        if answer.status == _GONE:
                            raise _Forgotten
                        answer.raise_for_status()  # a restarted one knows our kinds only later
                        rest = b""
                        async for chunk in answer.content.iter_any():
                            *lines, rest = (rest + chunk).split(b"\n")
                            for line in lines:
                                revision = self._take_in(plural, json.loads(line))
                except _Forgotten:
                    if not self._may_list_anew:
                        raise AssertionError("the watch of the test is too old") from None
                    self.is_whole = False
                    revision = await self._list(plural, path)
            await asyncio.sleep(0.1)

    def _take_in(self, plural: str, change: dict[str, Any]) -> str:
        item = change["object"]
        if change["type"] == "ERROR":
            if item.get("code") == _GONE:
                raise _Forgotten
            raise AssertionError(f"the watch of the test broke: {item}")
        if change["type"] != "BOOKMARK":
            self._add(plural, item)
        version: str = item["metadata"]["resourceVersion"]
        if change["type"] == "DELETED":
            del self._there[plural, item["metadata"]["name"]]
            self.gone_at[item["metadata"]["uid"]] = int(version)
        self.on_change()
        return version

    def _add(self, plural: str, item: Manifest) -> None:
        key = plural, item["metadata"]["name"]
        self._seen.setdefault(key, []).append(item)
        self._there[key] = item
