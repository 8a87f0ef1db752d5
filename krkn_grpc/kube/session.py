"""Requests to the API server: one pool for calls, one for streams, errors by class.

Not a client library: none tells "not written" from "unknown", and each costs a multiple
(docs/decisions/0003).
"""

import asyncio
import math
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from yarl import URL

from krkn_grpc.kube import answers, errors
from krkn_grpc.kube.access import ClusterAccess
from krkn_grpc.kube.request_metrics import Measured, measured, opened
from krkn_grpc.kube.server_time import ServerTime
from krkn_grpc.told import told

# As many writes as a run makes at once (64), and room for concurrent requests of others.
_CONNECTIONS = 128
STREAMS = 2_000
_CONNECT_SECONDS = 5.0
DEFAULT_SECONDS = 15.0
_READY_SECONDS = 2.0
_LONGEST_PAUSE = 5.0

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


# The API server repeats content that was written to these paths in some refusals.
_HOLD_CREDENTIALS = re.compile(r"/(secrets|tokenreviews|krknchaosjoblogs)(/|$)")


class Session:
    """A connection pool to one API server, used by everything in one process.

    Calls and streams (watches, logs) have pools of their own, so that many slow readers never
    take the connections that writes need.
    """

    def __init__(self, access: ClusterAccess) -> None:
        """Prepare the pools; nothing is connected before the first request."""
        self._access = access
        tls = access.tls()
        self._calls = _client(aiohttp.TCPConnector(ssl=tls, limit=_CONNECTIONS))
        # Connections are kept for a moment: if the API server closed one after the last byte,
        # asyncio's TLS would lose the data that a slow reader has not read by then.
        self._streams = _client(aiohttp.TCPConnector(ssl=tls, limit=STREAMS, keepalive_timeout=5))
        self._status = msgspec.json.Decoder(answers.Status)
        self.time = ServerTime()

    async def __aenter__(self) -> Self:
        """Return the session itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        await self._calls.close()
        await self._streams.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        seconds: float = DEFAULT_SECONDS,
    ) -> bytes:
        """Send one request and return the body of the answer.

        Raises the KubeError for a refusal, NotWritten when no connection could be made or the API
        server is only starting, and OutcomeUnknown when the request was sent but no whole answer
        came within `seconds`.
        """

        async def once() -> bytes:
            headers = await self._headers(content_type if body is not None else None, accept)
            return await self._send(method, self._url(path, query), body, headers, seconds)

        try:
            return await once()
        except errors.NotAuthorized as error:
            await self._must_be_ready(error)
        # The API server may have become ready after its refusal.
        return await once()

    async def _send(
        self, method: str, url: URL, body: bytes | None, headers: dict[str, str], seconds: float
    ) -> bytes:
        with measured(method, url.raw_path) as request:
            return await self._exchange(method, url, body, headers, seconds, request)

    async def _exchange(
        self,
        method: str,
        url: URL,
        body: bytes | None,
        headers: dict[str, str],
        seconds: float,
        request: Measured,
    ) -> bytes:
        sent_at = time.time()
        try:
            async with self._calls.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS),
                allow_redirects=False,
            ) as answer:
                self.time.look(answer.headers.get("Date"), sent_at, time.time())
                content = await answer.read()
                request.code = answer.status
                if answer.status < 300:
                    return content
                raise self._refusal(answer, content)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise errors.NotWritten(f"cannot connect to the API server: {told(error)}") from None
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            # Not chained with `from error`: that holds the request, and with it our token.
            raise errors.OutcomeUnknown(f"no answer from the API server: {told(error)}") from None

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        query: dict[str, str],
        *,
        silence_seconds: float | None,
        accept: str = JSON,
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """Open a GET with an endless answer, and yield its body as a stream.

        Raises as `call`; a connection that is silent for longer than `silence_seconds` counts as
        lost.
        """
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=silence_seconds
        )
        code: int | None = None
        try:
            async with self._streams.get(
                self._url(path, query),
                headers=await self._headers(None, accept),
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                code = answer.status
                opened(path, code)
                if answer.status != 200:
                    raise self._refusal(answer, await answer.read())
                yield answer.content
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if code is None:
                opened(path, None)
            raise errors.OutcomeUnknown(f"the stream was cut: {told(error)}") from None

    async def is_reachable(self, seconds: float = _READY_SECONDS) -> bool:
        """Whether the API server reports that it is ready, or at least answers our account."""
        try:
            await self._ask_whether_ready(seconds)
        except errors.Forbidden:
            return True
        except errors.KubeError:
            return False
        return True

    async def _must_be_ready(self, refusal: errors.NotAuthorized) -> None:
        """Raise NotWritten unless the API server is ready.

        An API server that has just started knows no accounts or roles yet and refuses every caller.
        """
        try:
            await self._ask_whether_ready(_READY_SECONDS)
        except errors.KubeError:
            raise errors.NotWritten(f"the API server is starting: {refusal}") from refusal

    async def _ask_whether_ready(self, seconds: float) -> None:
        headers = await self._headers(None, JSON)
        await self._send("GET", self._url("/readyz", None), None, headers, seconds)

    def _url(self, path: str, query: dict[str, str] | None) -> URL:
        # The path is ours and already safe: yarl must neither quote it again nor collapse it.
        url = URL(self._access.url + path, encoded=True)
        return url.with_query(query) if query else url

    async def _headers(self, content_type: str | None, accept: str) -> dict[str, str]:
        # Without compression: on one network it costs both sides more than it saves.
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        if content_type is not None:
            headers["Content-Type"] = content_type
        if (authorization := await self._access.authorization()) is not None:
            headers["Authorization"] = authorization
        return headers

    def _refusal(self, answer: aiohttp.ClientResponse, content: bytes) -> errors.KubeError:
        if answer.status == 401:
            self._access.refused(answer.request_info.headers.get("Authorization"))
        try:
            status = self._status.decode(content)
        except msgspec.MsgspecError:
            # The body is not quoted: it may be our own request, sent back.
            status = answers.Status(message=f"{len(content)} bytes that are no Status")
        return answers.error_for(
            answer.method,
            answer.status,
            status,
            retry_after=_seconds(answer.headers.get("Retry-After")),
            may_be_quoted=_HOLD_CREDENTIALS.search(answer.url.path) is None,
        )


def _client(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        # The API server records it as the manager of the written fields.
        headers={"User-Agent": "krkn-grpc"},
        trust_env=False,
    )


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdecimal() else None


async def pause(error: errors.KubeError, attempt: int, *, at_most: float = math.inf) -> None:
    """Wait before a retry: as long as the API server asked, else twice as long each time."""
    longest = min(0.05 * 2 ** min(attempt, 10), _LONGEST_PAUSE)
    # With jitter: callers that were refused together would collide again.
    wanted = error.retry_after or random.uniform(longest / 2, longest)
    await asyncio.sleep(max(min(wanted, at_most), 0))
