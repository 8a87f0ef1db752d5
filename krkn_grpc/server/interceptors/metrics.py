"""Counts calls as go-grpc-middleware does: started, handled by code, and the time between.

By hand: no library counts grpc.aio calls, and authentication turns every handler into one of a
stream of requests, so a handler does not tell a method's type any more (docs/decisions/0046).
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property, partial
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from krkn_grpc.server.interceptors.endings import Handler, with_end
from krkn_grpc.telemetry import metrics

_LOADED = health_pb2, reflection_pb2  # so that the pool has their services

OTHER = "other"
"""Service and method of calls that no rule knows: their names are a caller's."""


class _Method:
    """The counters of one method, bound once."""

    def __init__(self, kind: str, service: str, method: str) -> None:
        self._labels = kind, service, method
        self._handled: dict[str, Any] = {}
        self.started = metrics.RPC_STARTED.labels(*self._labels)

    @cached_property
    def _seconds(self) -> Any:
        # At the first call: a method that nobody calls has no dozen series of zeros.
        return metrics.RPC_SECONDS.labels(*self._labels)

    def ended(self, began: float, code: str) -> None:
        self._seconds.observe(time.perf_counter() - began)
        handled = self._handled.get(code)
        if handled is None:
            handled = self._handled[code] = metrics.RPC_HANDLED.labels(*self._labels, code)
        handled.inc()


class MetricsInterceptor(grpc.aio.ServerInterceptor):
    """Outside of all that refuses calls: it sees each call's final code."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Count the methods of these paths, `/package.Service/Method`, each by its own name."""
        self._methods = {path: _Method(*labels_of(path)) for path in paths}
        self._other = _Method("unary", OTHER, OTHER)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Count the call, and wrap its handler to learn how it ends."""
        began = time.perf_counter()
        method = self._methods.get(handler_call_details.method, self._other)
        method.started.inc()
        try:
            handler = await continuation(handler_call_details)
        except BaseException:
            # Errors are handlers by now: only the caller's end comes to here.
            method.ended(began, "Canceled")
            raise
        if handler is None:
            method.ended(began, "Unimplemented")
            return None
        return with_end(handler, partial(method.ended, began))


def labels_of(path: str) -> tuple[str, str, str]:
    """Return type, service and method of a path, as their descriptor has them."""
    service, _, method = path.removeprefix("/").partition("/")
    try:
        found = descriptor_pool.Default().FindServiceByName(service).FindMethodByName(method)
    except KeyError:
        return "bidi_stream", OTHER, OTHER
    of_requests, of_replies = found.client_streaming, found.server_streaming
    kinds = {
        (False, False): "unary",
        (True, False): "client_stream",
        (False, True): "server_stream",
        (True, True): "bidi_stream",
    }
    return kinds[of_requests, of_replies], service, method
