"""Counts calls as go-grpc-middleware does: started, handled by code, and the time between.

By hand: no library counts grpc.aio calls, and authentication turns every handler into one of a
stream of requests, so a handler does not tell a method's type any more (docs/decisions/0046).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import cached_property
from typing import Any, TypeAlias

import grpc
from google.protobuf import descriptor_pool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from krkn_grpc.server.metadata import Context
from krkn_grpc.telemetry import metrics

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

_LOADED = health_pb2, reflection_pb2  # so that the pool has their services

# As Go writes them, which is what dashboards expect: NotFound, DeadlineExceeded.
_CODES = {code.value[0]: code.name.title().replace("_", "") for code in grpc.StatusCode}
_CODES[grpc.StatusCode.OK.value[0]] = "OK"
_CODES[grpc.StatusCode.CANCELLED.value[0]] = "Canceled"

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

    def ended(self, code: str, began: float) -> None:
        self._seconds.observe(time.perf_counter() - began)
        handled = self._handled.get(code)
        if handled is None:
            handled = self._handled[code] = metrics.RPC_HANDLED.labels(*self._labels, code)
        handled.inc()


class MetricsInterceptor(grpc.aio.ServerInterceptor):
    """The outermost interceptor: it sees each call's final code."""

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
            method.ended("Canceled", began)
            raise
        if handler is None:
            method.ended("Unimplemented", began)
            return None
        if handler.response_streaming:
            return _stream(handler, method, began)
        return _unary(handler, method, began)


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


def _unary(handler: Handler, method: _Method, began: float) -> Handler:
    call: Any = handler.stream_unary or handler.unary_unary
    make: Any = (
        grpc.stream_unary_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_unary_rpc_method_handler
    )

    async def counted(request: Any, context: Context) -> Any:
        code = ""
        try:
            return await call(request, context)
        except BaseException as error:
            code = _code_after(error, context)
            raise
        finally:
            method.ended(code or _code_of(context), began)

    made: Handler = make(counted, handler.request_deserializer, handler.response_serializer)
    return made


def _stream(handler: Handler, method: _Method, began: float) -> Handler:
    call: Any = handler.stream_stream or handler.unary_stream
    make: Any = (
        grpc.stream_stream_rpc_method_handler
        if handler.request_streaming
        else grpc.unary_stream_rpc_method_handler
    )

    async def counted(request: Any, context: Context) -> AsyncIterator[Any]:
        code = ""
        try:
            async for message in call(request, context):
                yield message
        except BaseException as error:
            code = _code_after(error, context)
            raise
        finally:
            method.ended(code or _code_of(context), began)

    made: Handler = make(counted, handler.request_deserializer, handler.response_serializer)
    return made


def _code_of(context: Context) -> str:
    return _CODES.get(_number(context), "Unknown")


def _code_after(error: BaseException, context: Context) -> str:
    """Return the code of a call that ended with this error, which is most often an abort."""
    if isinstance(error, grpc.aio.AbortError):
        return _code_of(context)
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        left = context.time_remaining()
        return "DeadlineExceeded" if left is not None and left <= 0 else "Canceled"
    return "Unknown"


def _number(context: Context) -> int:
    """Return the number of the call's code: gRPC gives an enumerator, a number or nothing."""
    code: Any = context.code()
    return int(getattr(code, "value", (code or 0,))[0])
