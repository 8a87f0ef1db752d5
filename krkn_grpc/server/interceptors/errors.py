"""Maps the exceptions of every call to statuses, and logs each failure once.

Servicers raise and never set a status. gRPC clients get the code with google.rpc.ErrorInfo and
BadRequest details; Envoy prints the same as JSON.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from krkn_grpc.kube.errors import KubeError
from krkn_grpc.server import correlation_id
from krkn_grpc.server.errors import (
    INTERNAL,
    InvalidRequest,
    answer_for,
    shortened,
    without_frames,
)
from krkn_grpc.server.metadata import HTTP_CODE, Context
from krkn_grpc.told import told

DOMAIN = "krkn.krkn-chaos.dev"
_MOST_VIOLATIONS = 20
_MOST_BYTES = 3_600
_RETRY_SECONDS = 1
_MOST_LINES_A_SECOND = 50
# Envoy sends it as the header of the same name.
_RETRY_AFTER = ("retry-after", str(_RETRY_SECONDS))

_log = structlog.get_logger(__name__)
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Maps the exceptions of servicers to the status of the call."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """Wrap the method's handler."""
        correlation_id.follow(handler_call_details.invocation_metadata)
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        method = handler_call_details.method
        for kind, (wrap, make) in _KINDS.items():
            if (call := getattr(handler, kind)) is not None:
                wrapped = wrap(method, call)
                made: Handler = make(
                    wrapped, handler.request_deserializer, handler.response_serializer
                )
                return made
        return None  # No such method: a handler that is not wrapped is not returned.


def _unary(method: str, call: Any) -> Any:
    async def wrapped(request: Any, context: Context) -> Any:
        try:
            return await call(request, context)
        except Exception as error:
            await _refuse(method, error, context)

    return wrapped


def _stream(method: str, call: Any) -> Any:
    async def wrapped(request: Any, context: Context) -> AsyncIterator[Any]:
        try:
            async for message in call(request, context):
                yield message
        except Exception as error:
            await _refuse(method, error, context)

    return wrapped


# A single request and a stream of requests are wrapped in the same manner.
_KINDS: dict[str, tuple[Any, Any]] = {
    "unary_unary": (_unary, grpc.unary_unary_rpc_method_handler),
    "stream_unary": (_unary, grpc.stream_unary_rpc_method_handler),
    "unary_stream": (_stream, grpc.unary_stream_rpc_method_handler),
    "stream_stream": (_stream, grpc.stream_stream_rpc_method_handler),
}


async def _refuse(method: str, error: Exception, context: Context) -> NoReturn:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    status = status_of(error)
    _record(method, error, status)
    answer, row = rpc_status.to_status(status), answer_for(error)
    more = [_RETRY_AFTER] if row.retry_is_safe else []
    if row.http_code is not None:
        more.append((HTTP_CODE, str(row.http_code)))
    # gRPC keeps the abort's exception, which references the error, in a reference cycle. With the
    # error's frames, each refused call's request would stay there until a garbage collection.
    without_frames(error)
    # Those that are set already name the caller; abort would replace them.
    known = context.trailing_metadata() or ()
    await context.abort(answer.code, answer.details, (*known, *answer.trailing_metadata, *more))


def _record(method: str, error: Exception, status: status_pb2.Status) -> None:
    if answer_for(error) is INTERNAL:
        _log.error("call failed", method=method, exc_info=error)
    elif isinstance(error, KubeError):
        _log.warning("call failed", method=method, code=status.code, error=told(error))
    elif (unsaid := _refusals.next()) is not None:
        more = {"not_logged": unsaid} if unsaid else {}
        _log.info("call refused", method=method, code=status.code, message=status.message, **more)


class _Refusals:
    """Limits log lines per second, so that refused calls cannot flood the log."""

    def __init__(self, a_second: int) -> None:
        self._a_second = a_second
        self._second = 0
        self._lines = 0
        self._unsaid = 0

    def next(self) -> int | None:
        """Return the number of lines left out before this one, None when it is left out too."""
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._lines = second, 0
        if self._lines >= self._a_second:
            self._unsaid += 1
            return None
        self._lines += 1
        unsaid, self._unsaid = self._unsaid, 0
        return unsaid


_refusals = _Refusals(_MOST_LINES_A_SECOND)


def status_of(error: BaseException) -> status_pb2.Status:
    """Return the rich status of an error: code, message and details."""
    answer = answer_for(error)
    number: int = answer.code.value[0]
    status = status_pb2.Status(code=number, message=answer.message or str(error))
    info = error_details_pb2.ErrorInfo(reason=answer.reason, domain=DOMAIN)
    status.details.append(_packed(info))
    if isinstance(error, InvalidRequest):
        status.details.append(_packed(_bad_request(error)))
    if answer.retry_is_safe:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.seconds = _RETRY_SECONDS
        status.details.append(_packed(retry))
    return status


def _bad_request(error: InvalidRequest) -> error_details_pb2.BadRequest:
    bad, left = error_details_pb2.BadRequest(), _MOST_BYTES
    for violation in error.violations[:_MOST_VIOLATIONS]:
        field, description = shortened(violation)
        left -= len(field.encode()) + len(description.encode())
        # More would overflow the 8 KiB that gRPC has for trailers.
        if left < 0:
            break
        bad.field_violations.add(field=field, description=description)
    return bad


def _packed(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
