"""Tells how each call ends, by the code that its caller gets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import grpc

from krkn_grpc.server.metadata import Context

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Ended: TypeAlias = Callable[[str], None]

# As Go writes them, which is what dashboards expect: NotFound, DeadlineExceeded.
_CODES = {code.value[0]: code.name.title().replace("_", "") for code in grpc.StatusCode}
_CODES[grpc.StatusCode.OK.value[0]] = "OK"
_CODES[grpc.StatusCode.CANCELLED.value[0]] = "Canceled"

# A caller's deadline passes a moment before ours, because its clock started earlier. Its
# cancellation may then come first: so shortly before our deadline it means that the time is over.
_EARLIER_SECONDS = 0.1


def with_end(handler: Handler, ended: Ended) -> Handler:
    """Return a handler that calls `ended` once with the code of the call, such as NotFound."""
    return (_stream if handler.response_streaming else _unary)(handler, ended)


def _unary(handler: Handler, ended: Ended) -> Handler:
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
            ended(code or _code_of(context))

    made: Handler = make(counted, handler.request_deserializer, handler.response_serializer)
    return made


def _stream(handler: Handler, ended: Ended) -> Handler:
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
            ended(code or _code_of(context))

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
        is_late = left is not None and left <= _EARLIER_SECONDS
        return "DeadlineExceeded" if is_late else "Canceled"
    return "Unknown"


def _number(context: Context) -> int:
    """Return the number of the call's code: gRPC gives an enumerator, a number or nothing."""
    code: Any = context.code()
    return int(getattr(code, "value", (code or 0,))[0])
