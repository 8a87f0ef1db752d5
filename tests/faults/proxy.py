"""A proxy between a process and the API server that does to each call what a test asks for.

Plain HTTP comes in and TLS goes out, so it needs no certificate: its `url` is the process's API
server. What the process does when a call goes wrong is real, and so is the API server behind.
"""

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from krkn_grpc.resources.names import CONTROLLER_LEASE
from tests.support.proxy import Proxy, drop, end_to_end

_JOB = re.compile(
    r"(?:krknchaosjobs/|krknchaosjoblogs/|krkn-job-|\"KrknChaosJobLog\",\"metadata\":{\"name\":\")"
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
)


@dataclass(frozen=True)
class Call:
    """One call of the process."""

    method: str
    path: str
    body: bytes
    query: Mapping[str, str]

    @property
    def is_watch(self) -> bool:
        """Whether it is told changes, without an end."""
        return self.query.get("watch") in ("1", "true")

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def is_list(self) -> bool:
        """Whether it lists all objects of a kind."""
        is_some = self.is_watch or "labelSelector" in self.query
        return self.method == "GET" and not is_some and self.path.count("/") == _depth(self)

    @property
    def is_election(self) -> bool:
        """Whether it is about who leads."""
        return self.path.endswith(f"/leases/{CONTROLLER_LEASE}") or (
            self.path.endswith("/leases") and CONTROLLER_LEASE.encode() in self.body
        )

    @property
    def is_event(self) -> bool:
        """Whether it writes a Kubernetes Event, which may get lost."""
        return "/events.k8s.io/" in self.path

    @property
    def job(self) -> str:
        """The id of the job that it is about; empty when it is about none."""
        text = self.path if self.method != "POST" else self.body.decode(errors="replace")
        found = _JOB.search(text)
        return found.group(1) if found else ""


class Exchange:
    """A call that waits for what will be done to it."""

    def __init__(self, proxy: "FaultProxy", request: web.Request, call: Call) -> None:
        self._proxy = proxy
        self._request = request
        self.call = call

    async def forward(self) -> web.Response:
        """Let the API server do it, and return its answer."""
        async with self._proxy.send(self._request, self.call.body) as answer:
            body = await answer.read()
            headers = end_to_end(answer.headers)
            return web.Response(status=answer.status, headers=headers, body=body)

    async def begin(self, part: bytes) -> web.StreamResponse:
        """Send the begin of an answer, whose rest may never come."""
        answer = web.StreamResponse()
        await answer.prepare(self._request)
        await answer.write(part)
        return answer

    def drop(self) -> web.Response:
        """Close the connection without an answer."""
        return drop(self._request)


def refusal(code: int, reason: str, retry_after: int | None = None) -> web.Response:
    """Return an answer as the API server words it."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return web.json_response(_status(code, reason), status=code, headers=headers)


Fault = Callable[[Exchange], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class WatchFault:
    """What happens to a watch after so many events."""

    after: int
    is_error: bool = False
    """It ends with an ERROR event that says 410; else the connection is cut."""
    replays: bool = False
    """All its events come a second time before that."""


class FaultProxy(Proxy):
    """Passes calls on, each as `rule` and `watch_rule` say."""

    def __init__(self, api_server: str, ca_pem: str) -> None:
        super().__init__(api_server, ca_pem)
        self.rule: Callable[[Call], Fault | None] = lambda _: None
        self.watch_rule: Callable[[Call], WatchFault | None] = lambda _: None
        self.calls: list[Call] = []
        self.too_old: Counter[str] = Counter()
        """How often the API server itself said that a watch of a path is too old."""
        self._watches: dict[int, web.Request] = {}
        self._late = ""
        self._caught_up = asyncio.Event()
        self._caught_up.set()

    @contextlib.contextmanager
    def late(self, plural: str) -> Iterator[None]:
        """Pass on nothing that watches of this kind report, until this context ends."""
        self._late = plural
        self._caught_up.clear()
        try:
            yield
        finally:
            self._caught_up.set()

    def cut_watches(self) -> None:
        """Break the connection of every watch that is open now."""
        for request in list(self._watches.values()):
            drop(request)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Do with a call what the test says."""
        call = Call(request.method, request.path, await request.read(), request.query)
        self.calls.append(call)
        exchange = Exchange(self, request, call)
        if (fault := self.rule(call)) is not None:
            return await fault(exchange)
        if not call.is_watch:
            return await exchange.forward()
        return await self._stream(request, call, exchange)

    async def _stream(
        self, request: web.Request, call: Call, exchange: Exchange
    ) -> web.StreamResponse:
        fault = self.watch_rule(call)
        async with self.send(request, call.body) as answer:
            self.too_old[call.path] += answer.status == web.HTTPGone.status_code
            passed = web.StreamResponse(status=answer.status, headers=end_to_end(answer.headers))
            await passed.prepare(request)
            sent: list[bytes] = []
            rest = b""
            with contextlib.suppress(ConnectionError, aiohttp.ClientError), self._open(request):
                async for chunk in answer.content.iter_any():
                    if call.path.endswith(f"/{self._late}"):
                        await self._caught_up.wait()
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        self.too_old[call.path] += b'"code":410' in line
                        await passed.write(line + b"\n")
                        sent.append(line + b"\n")
                        if fault is not None and len(sent) >= fault.after:
                            if fault.replays:
                                await passed.write(b"".join(sent))
                            if fault.is_error:
                                gone = {"type": "ERROR", "object": _status(410, "Expired")}
                                await passed.write(json.dumps(gone).encode() + b"\n")
                                return passed
                            return exchange.drop()
            return passed

    @contextlib.contextmanager
    def _open(self, watch: web.Request) -> Iterator[None]:
        self._watches[id(watch)] = watch
        try:
            yield
        finally:
            del self._watches[id(watch)]


def _status(code: int, reason: str) -> dict[str, object]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": "made up by the test",
        "reason": reason,
        "code": code,
    }


def _depth(call: Call) -> int:
    """How many slashes the path of a collection has: /api/v1/... or /apis/group/version/..."""
    return 5 if call.path.startswith("/api/") else 6
